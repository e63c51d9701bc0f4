package config

import "time"

// Limits bound what a route takes on. Whoever has no place waits, and nothing of it is signed or sent until
// it has one.
type Limits struct {
	// Calls is how many calls may be under way at once. One more may be if it is light: initialize, ping, a
	// list, a notification, or the answer to a question of the server. Default: 64.
	Calls int `koanf:"calls"`

	// Streams is how many standing streams (GET, subscriptions/listen) may be open at once. They count as no
	// calls. Default: 64.
	Streams int `koanf:"streams"`

	// Queue is how many calls, and how many streams, may wait for a place. Zero: none. Default: 128.
	Queue int `koanf:"queue"`

	// QueueWait is how long each may wait. Zero: not at all. Default: 2s.
	QueueWait time.Duration `koanf:"queue_wait"`

	// Rate is how many calls may begin in a second. Zero: as many as have a place. Default: 0.
	Rate float64 `koanf:"rate"`

	// Burst is how many may begin at once after a pause, where there is a rate. Zero is one. Default: 0.
	Burst int `koanf:"burst"`

	// PerClient is how many calls, and how many streams, one client may have under way. A client is its key's
	// name, or its connection when auth is none. Zero: as many as there are places. Default: 32.
	PerClient int `koanf:"per_client"`

	// Body is the largest request body in bytes. Default: 4 MiB.
	Body Size `koanf:"body"`
}

// A Breaker says when calls to an upstream that fails are refused at once. It fails when it cannot be reached,
// is silent, breaks the connection or answers 5xx; JSON-RPC errors, 4xx and 429 are answers.
type Breaker struct {
	// Failures is how many calls have to fail one after the other. Zero: nothing is refused. Default: 5.
	Failures int `koanf:"failures"`

	// Open is how long calls are refused at first, before one is let through to try. Default: 5s.
	Open time.Duration `koanf:"open"`

	// MaxOpen is how long at most: each time that the one fails as well it is twice as long. Default: 60s.
	MaxOpen time.Duration `koanf:"max_open"`
}

// Timeouts bound the parts of a call. Zero switches one off, except Connect and TLS.
type Timeouts struct {
	// Connect bounds name lookup and dialling. Default: 5s.
	Connect time.Duration `koanf:"connect"`

	// TLS bounds the handshake. Default: 5s.
	TLS time.Duration `koanf:"tls"`

	// FirstByte bounds the wait for the response to begin, once the request is sent. Default: 2m.
	FirstByte time.Duration `koanf:"first_byte"`

	// Idle bounds the silence inside a response. Standing GET streams are exempt. Default: 5m.
	Idle time.Duration `koanf:"idle"`

	// Call bounds a whole call. Standing GET streams are exempt. Default: 30m.
	Call time.Duration `koanf:"call"`
}

// Retry says when a call is sent once more.
type Retry struct {
	// Max is 1, or 0: a call is then sent again only when AWS refused its signature or token. Default: 1.
	Max int `koanf:"max" jsonschema:"minimum=0,maximum=1"`

	// Throttle waits and sends again what only reads, when the upstream wants less and says to wait for 2 s or
	// less. Default: true.
	Throttle bool `koanf:"throttle"`
}

// A Pool shapes a route's connections.
type Pool struct {
	// MaxConnections is how many connections may be open, beside one for the light call that limits.calls
	// lets pass. Calls and streams above it would wait here, signed and unseen: limits.calls and
	// limits.streams together are no more than it. Default: 128.
	MaxConnections int `koanf:"max_connections"`

	// MaxIdle is how many connections are kept open between calls. Default: 128.
	MaxIdle int `koanf:"max_idle"`

	// IdleTimeout is how long an unused connection is kept. Default: 50s.
	IdleTimeout time.Duration `koanf:"idle_timeout"`

	// HTTP2 allows HTTP/2 with an https upstream that offers it. Default: true.
	HTTP2 bool `koanf:"http2"`
}

// TLS shapes the connection to an https upstream.
type TLS struct {
	// CAFile holds the PEM certificates to trust instead of the system's. Empty: what AWS_CA_BUNDLE names, else
	// the system's. Load fills in the former on a route to https.
	CAFile string `koanf:"ca_file"`

	// CertFile and KeyFile are this route's client certificate. Both or neither.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`

	// ServerName is the name the upstream's certificate must have. Empty: the upstream's host.
	ServerName string `koanf:"server_name"`

	// Insecure accepts any certificate. It is warned about, always.
	Insecure bool `koanf:"insecure"`
}
