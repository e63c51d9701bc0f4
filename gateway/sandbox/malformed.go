package sandbox

import "net/http"

// A malformed is a request that HTTP or a limit does not allow, with the status that says so.
type malformed struct {
	status int
	what   string
}

func (m *malformed) Error() string { return m.what }

func bad(what string) error { return &malformed{status: http.StatusBadRequest, what: what} }

func tooLong() error {
	return &malformed{status: http.StatusRequestEntityTooLarge, what: "the body is too long"}
}
