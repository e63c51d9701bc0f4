package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"signet/config"
	"signet/gateway/envelope"
)

// maxRetryAfter bounds what an upstream may tell a client to wait.
const maxRetryAfter = time.Hour

// refused answers a call whose response has an error status, or reports that it is to be sent again: AWS
// refused what was signed before anything was executed, and there is something else to sign.
func (c *call) refused(a *attempt, response *http.Response, body io.Reader) (again bool) {
	held, err := c.readHeld(body, response.ContentLength)
	a.record.Received()
	if err != nil {
		if c.blames(a, err) {
			c.failed()
		}
		c.fail(c.brokeOff(response, err))
		return false
	}
	a.no = readNo(response, held)
	m, bad := envelope.Read(held)
	if bad == nil && m.Kind == envelope.Response || a.throttled(response) {
		c.place.Answered()
	} else {
		c.failed() // of no effect below 500: it has been told otherwise
	}
	lifted := bad == nil && m.Kind == envelope.Response && m.IsError
	if a.generation != nil {
		if lifted && a.no.class == otherNo || a.no.class == deniedNo && a.no.named() {
			c.accepted(a)
		}
		if c.mend(a, response) {
			c.ending.Reason, c.ending.Outcome, c.ending.Message = a.no.reason(), rejected, "AWS refused it, and it was sent again"
			return true
		}
	}
	if c.yields(a, response) {
		c.ending.Reason, c.ending.Outcome, c.ending.Message = "upstream_throttled", rejected, "the upstream wants it later, and it was sent again"
		return true
	}
	if lifted && c.parked == 0 {
		c.lift(response, m, held)
		return false
	}
	c.fail(c.refusalOf(a, response))
	return false
}

// accepted notes that the generation of a was good: what answered stands behind AWS's check.
func (c *call) accepted(a *attempt) {
	if a.generation != nil {
		c.identity.cache.Accepted(a.generation)
	}
}

// mend reports whether a, which was refused, is to be sent once more: signed for AWS's clock, or with newer
// credentials. It is asked of every refusal and says so at most once a call, or twice where
// the newer ones have been replaced as well.
func (c *call) mend(a *attempt, response *http.Response) bool {
	switch {
	case a.first != nil && c.rotated(a):
		return true
	case a.first != nil:
		c.learnOnly(a, response)
		return false
	case a.resent:
		return false
	}
	switch a.no.class {
	case staleNo:
		a.next, a.lacking = c.renewed(a)
	case clockNo:
		return c.retimed(a, response)
	case signatureNo:
		if c.retimed(a, response) {
			return true
		}
		a.next = c.newer(a)
	case deniedNo:
		return a.no.unauthorized() && !a.no.named() && c.retimed(a, response)
	}
	return a.next != nil
}

// retimed learns AWS's clock from a refusal, and reports whether it may have been the cause. One that names
// the clock always may: the request may just have been long on its way.
func (c *call) retimed(a *attempt, response *http.Response) bool {
	skew, ok := measure(response, a.sent, a.answered)
	if !ok || a.no.class != clockNo && (skew-a.skew).Abs() <= tolerated {
		return false
	}
	c.identity.clock.learn(skew)
	return true
}

// learnOnly takes from the refusal of a second attempt what later calls need. A skew that did not help is
// forgotten: the Date was not that of the clock which refuses. New credentials that did not help either tell that
// it is not for them that AWS refuses.
func (c *call) learnOnly(a *attempt, response *http.Response) {
	switch first := a.first; {
	case first.no.class == otherNo: // it was no refusal of AWS's
		if a.no.class == clockNo {
			c.retimed(a, response)
		}
	case a.no.class == staleNo && first.no.class == staleNo:
		c.identity.cache.InVain(a.generation)
	case a.skew != first.skew && (a.no.class == clockNo || a.no.class == first.no.class):
		c.identity.clock.forget(a.skew, first.skew)
	case a.skew == first.skew && a.no.class == clockNo:
		c.retimed(a, response)
	}
}

// lift passes on an error that is itself a JSON-RPC message. It is not rewritten. Newer clients negotiate
// by the status; older ones choke on it, and get 200 where the id is theirs. 401 never gets through: it
// would open a browser.
func (c *call) lift(response *http.Response, m envelope.Message, held []byte) {
	c.judge(m)
	status := response.StatusCode
	ours := len(c.pending) == 1 && sameID(c.pending[0], m.ID)
	switch {
	case status == http.StatusUnauthorized && !ours:
		c.fail(c.bad("status", response, "the upstream asks for a login: is it an OAuth server?"))
		return
	case c.truthful():
		status = noLogin(status)
	case status == http.StatusUnauthorized, ours && c.version() < modern:
		status = http.StatusOK
	}
	held, err := c.screened(held)
	if err != nil {
		c.fail(c.unreadableList(err))
		return
	}
	c.head(response)
	writeJSON(c.w, status, held)
}

// refusalOf is the error for a response with an error status that is no message.
func (c *call) refusalOf(a *attempt, response *http.Response) *envelope.Error {
	status := response.StatusCode
	switch {
	case a.throttled(response):
		return c.throttled(a, response)
	case a.generation != nil && a.no.class != otherNo:
		return c.rejected(a, response)
	case c.predates(a, status):
		return c.oldTransport(response)
	}
	e := c.bad("status", response, "the upstream answered "+strconv.Itoa(status)+" "+http.StatusText(status))
	e.Retryable = status >= 500 && c.repeatable()
	e.AWSErrorType = a.no.kind
	if status < 500 {
		e.Outcome = rejected
	}
	return e
}

// throttled reports whether the upstream refused a because it wants less.
func (a *attempt) throttled(response *http.Response) bool {
	return a.no.class == throttledNo || response.StatusCode == http.StatusTooManyRequests ||
		response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != ""
}

// rejected is AWS refusing the credentials or the signature, after one fresh try.
func (c *call) rejected(a *attempt, response *http.Response) *envelope.Error {
	var e *envelope.Error
	if a.lacking != nil {
		e = c.noCredentials(a.lacking)
		e.Outcome = rejected
	} else {
		e = c.fault(envelope.CodeRejected, a.no.reason(), rejected, c.why(a, response))
	}
	e.UpstreamStatus = response.StatusCode
	e.AWSErrorType = a.no.kind
	e.AWSRequestID = response.Header.Get("X-Amzn-Requestid")
	return e
}

// why is what a person can do about AWS's no.
func (c *call) why(a *attempt, response *http.Response) string {
	switch a.no.class {
	case staleNo:
		return c.whyStale(a)
	case clockNo:
		return "AWS refused the signature's time: this machine's clock and AWS's are " + apart(response, a.answered)
	case signatureNo:
		return fmt.Sprintf("AWS refused the signature: check service and region (signed %s/%s%s) or the clock (%s)",
			c.route.scope.Service, c.scope(a.generation).Region, hostSays(c.route.upstream.Hostname()), apart(response, a.answered))
	}
	who, action := a.no.denied()
	if who == "" {
		who = a.generation.Role()
	}
	if who == "" {
		who = "this identity"
	}
	if action == "" {
		action = "do this"
	}
	return fmt.Sprintf("AWS denied access: %s may not %s", who, action)
}

func (c *call) whyStale(a *attempt) string {
	whose, check := "the credentials", "aws sts get-caller-identity"
	if p := c.profileName(); p != "" {
		whose, check = fmt.Sprintf("the credentials of profile %q", p), check+" --profile "+p
	}
	says := "AWS does not know " + whose + " (key or session token)"
	if a.no.reason() == "expired" {
		says = "AWS says that " + whose + " have expired"
	}
	others := "there are no others"
	if a.first != nil && a.first.no.class == staleNo {
		others = "nor did it take those fetched just before"
	}
	return fmt.Sprintf("%s, and %s. Renew them (no restart needed), or see who they are. Run: %s", says, others, check)
}

// hostSays is what the host table makes of a host, for a message.
func hostSays(host string) string {
	service, region, ok := config.ServiceRegion(host)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", host says %s/%s", service, region)
}

// apart is how far our clock is from the response's Date, for a message.
func apart(response *http.Response, answered time.Time) string {
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return "the upstream's is unknown"
	}
	return fmt.Sprintf("%.0f s apart", answered.Round(0).Sub(theirs).Abs().Seconds())
}

// throttled is an upstream that wants less.
func (c *call) throttled(a *attempt, response *http.Response) *envelope.Error {
	e := c.fault(envelope.CodeThrottled, "upstream_throttled", rejected, "upstream throttled the call")
	e.Retryable, e.UpstreamStatus, e.AWSErrorType = true, response.StatusCode, a.no.kind
	e.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	if e.RetryAfter > 0 {
		e.Message += fmt.Sprintf(", retry after %.0f s", e.RetryAfter.Seconds())
	}
	return e
}

// retryAfter reads a Retry-After header: seconds or a date. Zero: none, or not one.
func retryAfter(value string) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return min(time.Duration(min(n, 3600))*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(time.Until(at), maxRetryAfter))
	}
	return 0
}
