package gateway

import (
	"math"
	"net/http"
	"strconv"

	"signet/gateway/envelope"
)

// truthful reports whether failures are told by HTTP status as well: errors: http.
func (c *call) truthful() bool { return c.route.config.Errors == "http" }

// statusOf is the status that a whole answer with e goes out with. Where it tells the truth, Retry-After does too.
func (c *call) statusOf(e *envelope.Error) int {
	if !c.truthful() {
		return http.StatusOK
	}
	if e.RetryAfter > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	return e.Status()
}

// noLogin is an upstream's status as a client may see it: 401 would open a browser.
func noLogin(status int) int {
	if status == http.StatusUnauthorized {
		return http.StatusBadGateway
	}
	return status
}
