package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"signet/gateway/bulkhead"
	"signet/gateway/credentials"
	"signet/gateway/envelope"
)

// fault is an error of this call's route.
func (c *call) fault(code int, reason, outcome, message string) *envelope.Error {
	return &envelope.Error{
		Code: code, Reason: reason, Outcome: outcome,
		Message: fmt.Sprintf("route %q: %s", c.route.name, message),
	}
}

// noCredentials is why there is nothing to sign with.
func (c *call) noCredentials(err error) *envelope.Error {
	if cause := c.ended(); cause != nil {
		e := c.interrupted(cause)
		e.Outcome = notSent
		return e
	}
	var known *credentials.Error
	if !errors.As(err, &known) {
		return c.fault(envelope.CodeCredentials, "no_credentials", notSent, err.Error())
	}
	message := known.Message
	if known.Action != "" {
		message += ". Run: " + known.Action
	}
	if known.Reason == "sso_expired" || known.Reason == "login_expired" {
		message += "   (no restart needed)"
	}
	e := c.fault(envelope.CodeCredentials, known.Reason, notSent, message)
	e.RetryAfter = known.RetryAfter
	return e
}

// interrupted is an error for the cause that ended the call's context.
func (c *call) interrupted(cause error) *envelope.Error {
	outcome := unknown
	if !c.begun && c.ending.Status == 0 {
		outcome = notSent
	}
	var e *envelope.Error
	switch {
	case errors.Is(cause, errRetired), errors.Is(cause, errDraining):
		e = c.fault(envelope.CodeDraining, "draining", outcome, cause.Error())
		e.Retryable = true // by the error contract; outcome says whether that is safe
	case errors.Is(cause, errIdle) && c.begun:
		e = c.broken(fmt.Sprintf("the stream was silent for %s (timeouts.idle)", c.route.config.Timeouts.Idle))
	case errors.Is(cause, errIdle):
		e = c.fault(envelope.CodeTimeout, "idle", outcome, fmt.Sprintf(
			"the answer stopped for %s (timeouts.idle)", c.route.config.Timeouts.Idle))
	case errors.Is(cause, errFirstByte):
		e = c.fault(envelope.CodeTimeout, "first_byte", outcome, fmt.Sprintf(
			"no answer began within %s (timeouts.first_byte)", c.route.config.Timeouts.FirstByte))
	case errors.Is(cause, errToolTimeout):
		e = c.tookTooLong(outcome)
	case errors.Is(cause, errCallTimeout):
		e = c.fault(envelope.CodeTimeout, "total", outcome, fmt.Sprintf(
			"the call took longer than %s (timeouts.call)", c.route.config.Timeouts.Call))
	default:
		e = c.fault(envelope.CodeBadResponse, "internal", outcome, "the call was ended: "+cause.Error())
	}
	return e
}

// noResponse is why no response came.
func (c *call) noResponse(a *attempt, err error) *envelope.Error {
	if p, ok := errors.AsType[*panicked](err); ok {
		panic(p)
	}
	if cause := c.ended(); cause != nil {
		e := c.interrupted(cause)
		e.Outcome = unknown
		if !a.connected {
			e.Outcome = notSent
		}
		return e
	}
	if a.connected {
		return c.lost(a, err)
	}
	reason, text := whyUnreachable(err)
	if text == noConnection && a.shaking.Load() { // crypto/tls has no type for most of what goes wrong
		reason, text = "tls", "the handshake failed"
	}
	host := c.route.upstream.Host
	if reason == "fds" {
		e := c.fault(envelope.CodeOverloaded, reason, notSent, "cannot connect to "+host+": "+text)
		e.Retryable = true
		return e
	}
	if reason == "connect" {
		if a.shaking.Load() {
			text = fmt.Sprintf("the TLS handshake did not end (timeouts.tls, %s)", c.route.config.Timeouts.TLS)
		}
		e := c.fault(envelope.CodeTimeout, reason, notSent, fmt.Sprintf("connecting to %s took too long: %s", host, text))
		e.Retryable = true
		return e
	}
	e := c.fault(envelope.CodeUnreachable, reason, notSent, fmt.Sprintf("cannot reach %s: %s", host, text))
	e.Retryable = true
	return e
}

// lost is a connection that was there and ended before an answer.
func (c *call) lost(a *attempt, err error) *envelope.Error {
	switch {
	case !a.wrote():
		e := c.fault(envelope.CodeUnreachable, "broken", notSent, "the connection was gone before anything was sent")
		e.Retryable = true
		return e
	case disowned(err):
		a.pause = settling
		e := c.fault(envelope.CodeUnreachable, "broken", rejected, "the upstream turned the request away unread")
		e.Retryable = true
		return e
	}
	return c.fault(envelope.CodeUnreachable, "broken", unknown, "the upstream closed the connection without an answer")
}

// noConnection is all that is known of most failures to connect.
const noConnection = "no connection"

// whyUnreachable sorts an error from before there was a connection. The text says no more than the class,
// and for certificates what is wrong with them.
func whyUnreachable(err error) (reason, text string) {
	var (
		dns     *net.DNSError
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		invalid x509.CertificateInvalidError
		proxy   *proxyError
		timeout interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "fds", "the gateway has too many files open (ulimit -n)"
	case errors.As(err, &proxy):
		return "refused", proxy.Error()
	case errors.As(err, &dns) && dns.IsTimeout:
		return "dns", "nobody said where that is in time"
	case errors.As(err, &dns):
		return "dns", "no such host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls", fmt.Sprintf("the certificate of %s expired on %s",
			invalid.Cert.Subject.CommonName, invalid.Cert.NotAfter.Format("2006-01-02"))
	case errors.As(err, &verify):
		return "tls", verify.Err.Error()
	case errors.As(err, &record), errors.As(err, &alert):
		return "tls", "the handshake failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused", "connection refused"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "connect", "no answer"
	}
	return "refused", noConnection
}

// brokeOff is an answer that did not arrive whole.
func (c *call) brokeOff(response *http.Response, err error) *envelope.Error {
	if cause := c.ended(); cause != nil {
		return c.interrupted(cause)
	}
	var shed *bulkhead.Shed
	if errors.As(err, &shed) {
		return c.shed(shed, unknown)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return c.bad("truncated", response, "the upstream's answer ended before it was whole")
	}
	return c.bad("truncated", response, "the connection broke before the answer was whole")
}

// bad is an answer that is none.
func (c *call) bad(reason string, response *http.Response, message string) *envelope.Error {
	e := c.fault(envelope.CodeBadResponse, reason, unknown, message)
	e.UpstreamStatus = response.StatusCode
	e.AWSRequestID = response.Header.Get("X-Amzn-Requestid")
	return e
}

// redirected is an upstream that sends the call elsewhere. It is not followed: the signature and the
// security token are for the configured host alone.
func (c *call) redirected(response *http.Response) *envelope.Error {
	where := "nowhere"
	if target, err := url.Parse(response.Header.Get("Location")); err == nil && target.Host != "" {
		where = target.Host
	}
	e := c.bad("redirect_refused", response, "the upstream redirects to "+where+"; set that as upstream if it is right")
	e.Outcome = rejected
	return e
}

// broken is a stream that ended without its answer.
func (c *call) broken(message string) *envelope.Error {
	return c.fault(envelope.CodeStreamBroken, "stream_broken", unknown, message)
}

func tooLarge(route, what string, limit int64) *envelope.Error {
	return &envelope.Error{
		Code: envelope.CodeTooLarge, Reason: "too_large", Route: route, Outcome: unknown,
		Message: fmt.Sprintf("route %q: %s is larger than %d bytes", route, what, limit),
	}
}
