package gateway

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"signet/config"
	"signet/gateway/envelope"
)

// maxRetryAfter bounds what an upstream may tell a client to wait.
const maxRetryAfter = time.Hour

// refused answers a call whose response has an error status, or reports that it is to be sent again: AWS
// found the credentials stale and there are newer ones.
func (c *call) refused(a *attempt, response *http.Response, body io.Reader) (again bool) {
	held, err := readUpTo(body, response.ContentLength, maxHeld)
	if err != nil {
		c.fail(c.brokeOff(response, err))
		return false
	}
	if m, bad := envelope.Read(held); bad == nil && m.Kind == envelope.Response && m.IsError {
		c.lift(response, m, held)
		return false
	}
	no := readNo(response, held)
	switch status := response.StatusCode; {
	case a.generation != nil && no.stale() && a.number == 1 && c.renewed(a):
		return true
	case a.generation != nil && (status == http.StatusUnauthorized || status == http.StatusForbidden || no.stale() || no.mismatch()):
		c.fail(c.rejected(response, no))
	case status == http.StatusTooManyRequests,
		status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
		c.fail(c.throttled(response))
	default:
		e := c.bad("status", response, "the upstream answered "+strconv.Itoa(status)+" "+http.StatusText(status))
		e.Retryable = status >= 500 && c.repeatable()
		e.AWSErrorType = no.kind
		if status < 500 {
			e.Outcome = rejected
		}
		c.fail(e)
	}
	return false
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
	case status == http.StatusUnauthorized, ours && c.version() < modern:
		status = http.StatusOK
	}
	c.head(response)
	writeJSON(c.w, status, held)
}

// renewed gives up the generation that AWS refused and reports whether there is a newer one.
func (c *call) renewed(a *attempt) bool {
	cache := c.route.identity.cache
	cache.Invalidate(a.generation)
	next, err := cache.Get(c.ctx, time.Now())
	return err == nil && next != a.generation &&
		(next.Credentials.AccessKeyID != a.generation.Credentials.AccessKeyID ||
			next.Credentials.SessionToken != a.generation.Credentials.SessionToken ||
			next.Credentials.SecretAccessKey != a.generation.Credentials.SecretAccessKey)
}

// rejected is AWS refusing the credentials or the signature, after one fresh try.
func (c *call) rejected(response *http.Response, no no) *envelope.Error {
	reason, message := c.why(response, no)
	e := c.fault(envelope.CodeRejected, reason, rejected, message)
	e.UpstreamStatus = response.StatusCode
	e.AWSErrorType = no.kind
	e.AWSRequestID = response.Header.Get("X-Amzn-Requestid")
	return e
}

func (c *call) why(response *http.Response, no no) (reason, message string) {
	switch {
	case no.stale() && strings.Contains(strings.ToLower(no.kind+no.message), "expired"):
		return "expired", "AWS says the credentials have expired, and the profile has no newer ones"
	case no.stale():
		return "invalid_token", "AWS does not know the credentials (key or session token), and the profile has no others"
	case no.skewed():
		return "clock_skew", "AWS refused the signature's time: " + skew(response)
	case no.mismatch():
		return "signature", fmt.Sprintf("AWS refused the signature: check service and region (signed %s/%s%s) or the clock (%s)",
			c.route.scope.Service, c.route.scope.Region, hostSays(c.route.upstream.Hostname()), skew(response))
	}
	who, action := no.denied()
	return "access_denied", fmt.Sprintf("AWS denied access: %s may not %s", who, action)
}

// hostSays is what the host table makes of a host, for a message.
func hostSays(host string) string {
	service, region, ok := config.ServiceRegion(host)
	if !ok {
		return ""
	}
	return fmt.Sprintf(", host says %s/%s", service, region)
}

// skew is how far our clock is from the response's Date.
func skew(response *http.Response) string {
	theirs, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return "the upstream's is unknown"
	}
	return fmt.Sprintf("%.0f s apart", time.Since(theirs).Abs().Seconds())
}

// throttled is an upstream that wants less.
func (c *call) throttled(response *http.Response) *envelope.Error {
	e := c.fault(envelope.CodeThrottled, "upstream_throttled", rejected, "upstream throttled the call")
	e.Retryable, e.UpstreamStatus = true, response.StatusCode
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

// A no is what AWS says when it refuses a request.
type no struct {
	kind    string // ExpiredTokenException
	message string
}

// readNo reads a refusal in any of the shapes services give it: the X-Amzn-Errortype header, JSON or XML.
func readNo(response *http.Response, body []byte) no {
	var said struct {
		Type    string `json:"__type" xml:"-"`
		Code    string `json:"code" xml:"Code"`
		Message string `json:"message" xml:"Message"`
	}
	if json.Unmarshal(body, &said) != nil {
		var wrapped struct {
			Code    string `xml:"Error>Code"`
			Message string `xml:"Error>Message"`
		}
		if xml.Unmarshal(body, &wrapped) == nil {
			said.Code, said.Message = wrapped.Code, wrapped.Message
		}
	}
	kind := response.Header.Get("X-Amzn-Errortype")
	if kind == "" {
		kind = said.Type + said.Code
	}
	kind, _, _ = strings.Cut(kind, ":")
	return no{kind: printable(kind[strings.LastIndexByte(kind, '#')+1:], 64), message: said.Message}
}

// stale reports whether other credentials may do. The type alone does not tell: API Gateway says
// AccessDeniedException of a key it does not know.
func (n no) stale() bool {
	switch n.kind {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidClientTokenId",
		"UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken":
		return true
	}
	return strings.Contains(n.message, "security token included in the request is")
}

// skewed reports whether AWS found the signature's time off.
func (n no) skewed() bool {
	return n.kind == "RequestTimeTooSkewed" || n.kind == "RequestExpired" ||
		strings.Contains(n.message, "Signature expired") || strings.Contains(n.message, "not yet current")
}

// mismatch reports whether AWS found the signature wrong.
func (n no) mismatch() bool {
	switch n.kind {
	case "InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignatureException", "IncompleteSignature":
		return true
	}
	return n.skewed()
}

// denied takes who and what out of "User: ARN is not authorized to perform: ACTION on resource: …".
func (n no) denied() (who, action string) {
	who, action = "this identity", "do this"
	if _, after, ok := strings.Cut(n.message, "User: "); ok {
		name, _, _ := strings.Cut(after, " ")
		who = printable(name, 256)
	}
	if _, after, ok := strings.Cut(n.message, "to perform: "); ok {
		verb, _, _ := strings.Cut(after, " ")
		action = printable(verb, 128)
	}
	return who, action
}

// printable is a foreign word, cut short, without anything that is not a letter on a page.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
