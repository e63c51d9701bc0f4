package credentials

import (
	"errors"
	"time"
)

// errClosed is the cause of what a closed Cache answers.
var errClosed = errors.New("the route is gone")

// An Error says why there are no credentials. Its text never holds anything a source printed.
type Error struct {
	// Reason is the class: no_credentials, no_profile, mfa, process_failed, process_timeout,
	// sts_unreachable, sso_expired, login_expired.
	Reason string

	// Message is what a person reads, Action a command that may mend it. Action may be empty.
	Message, Action string

	// Absent says that no source is named anywhere: nothing has failed, there is just nobody to sign as.
	Absent bool

	// RetryAfter is when the source is asked again. Zero: at the next call.
	RetryAfter time.Duration

	// Err is the cause. It is for errors.Is, not for people: it may hold what a source said.
	Err error
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// after is e with a time to wait.
func (e *Error) after(wait time.Duration) *Error {
	next := *e
	next.RetryAfter = wait
	return &next
}

// none is an error of the class no_credentials.
func none(message string) *Error { return &Error{Reason: "no_credentials", Message: message} }

// routeGone is the error of a closed Cache.
func routeGone() *Error {
	return &Error{Reason: "no_credentials", Message: errClosed.Error(), Err: errClosed}
}

// asError is err as an Error: a cause that is none is not quoted.
func asError(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Reason: "no_credentials", Message: "the source of the credentials failed", Err: err}
}
