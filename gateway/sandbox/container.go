package sandbox

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// ContainerOptions shape a Container.
type ContainerOptions struct {
	// Identity is whose role the container has.
	Identity string

	// Token is what the Authorization header of every request must be. Empty: none is needed.
	Token string

	// Life is how long the credentials live. Zero: an hour.
	Life time.Duration

	// Delay is how long the nth request, from 1, takes. Nil: no time.
	Delay func(n int) time.Duration
}

// A Container is the server that ECS and EKS Pod Identity put beside a container: GET of any path is new
// credentials.
type Container struct {
	*Server
	options ContainerOptions
	door    door

	mu    sync.Mutex
	token string // under mu
}

// Container makes such a server. It takes requests once its URL was asked for, or on Serve's listeners.
func (s *Sandbox) Container(o ContainerOptions) *Container {
	if o.Life == 0 {
		o.Life = time.Hour
	}
	s.Identity(o.Identity)
	c := &Container{options: o, door: door{delay: o.Delay}, token: o.Token}
	c.Server = s.newServer(c.answer)
	return c
}

// SetToken changes what the Authorization header must be, as EKS does when it rotates the token's file.
func (c *Container) SetToken(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = token
}

// Requests is how many requests came.
func (c *Container) Requests() int {
	came, _ := c.door.count()
	return came
}

func (c *Container) answer(ctx context.Context, r *request, w *response) {
	_, ok := c.door.enter(ctx)
	defer c.door.leave()
	switch {
	case !ok:
		w.broken = true
	case r.method != http.MethodGet:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "GET")
	case !c.admits(r.get("Authorization")):
		w.whole(http.StatusBadRequest, "application/json", marshal(struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		}{"InvalidTokenException", "The token included in the request is not valid."}))
	default:
		w.whole(http.StatusOK, "application/json", c.credentials())
	}
}

func (c *Container) admits(token string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token == "" || token == c.token
}

// credentials are new credentials of the container's role.
func (c *Container) credentials() string {
	id := c.sandbox.Identity(c.options.Identity)
	set := c.sandbox.issue(id, "container", c.options.Life)
	return marshal(struct {
		AccessKeyId, SecretAccessKey, Token, Expiration, AccountId, RoleArn string
	}{set.AccessKeyID, set.SecretAccessKey, set.SessionToken, set.Expires.UTC().Format(time.RFC3339Nano), id.Account, id.RoleARN})
}
