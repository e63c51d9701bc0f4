// Package config is what the operator wrote: one file, read once, checked whole, never changed after.
//
// Load turns a file into a Config or into every Problem it has. Watch does so again each time the file
// settles. Nothing here opens a connection or knows how a Config is put to work.
package config

import "time"

// A Config is one configuration file with its includes and defaults merged in. It is a value: nothing
// changes it after Load returns, so it may be shared freely.
type Config struct {
	// Listen are the addresses to serve on: host:port, or unix:///path; localhost is both loopback addresses.
	// Default: 127.0.0.1:8484.
	Listen []string `koanf:"listen"`

	// TLS makes the TCP listeners serve https, and so lets them be others than loopback.
	TLS ListenTLS `koanf:"tls"`

	// Auth says who may call.
	Auth Auth `koanf:"auth"`

	// Drain is how long calls on a replaced or removed route may still run. Default: 30s.
	Drain time.Duration `koanf:"drain"`

	// Memory is how many bytes the buffers of all calls may hold together: request bodies, and answers and
	// events that are held until they are whole. Calls above it are shed. Default: 256 MiB.
	Memory Size `koanf:"memory"`

	// Log says what is logged, and how.
	Log Log `koanf:"log"`

	// Telemetry says where spans and numbers go. The standard OTEL_* environment variables win over it.
	Telemetry Telemetry `koanf:"telemetry"`

	// Include are glob patterns, relative to the file, of further files with a routes block each.
	Include []string `koanf:"include"`

	// Routes are the upstreams by name. Each has the file's defaults merged in.
	Routes map[string]Route `koanf:"routes"`

	// Path is the file this Config was read from, absolute.
	Path string `koanf:"-"`

	// Files are all files whose contents decided this Config: the file itself, its includes, and those
	// it refers to (key file, CA and certificate files, ${file:} values). A change of one is a change
	// of the Config.
	Files []string `koanf:"-"`

	// Hash identifies the contents of Files: hex SHA-256. Equal hashes mean nothing to apply.
	Hash string `koanf:"-"`

	// Warnings are the problems that do not stop this Config from serving.
	Warnings []Problem `koanf:"-"`
}

// ListenTLS is what the TCP listeners prove themselves with. Unix sockets have none.
type ListenTLS struct {
	// CertFile and KeyFile are the listeners' certificate, in PEM. Both or neither. Empty: the listeners serve
	// http, and are loopback addresses alone.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`

	// ClientCAFile holds the PEM certificates one of which must have issued a caller's own. Empty: callers
	// need none.
	ClientCAFile string `koanf:"client_ca_file"`

	// Held is what the files held when they were judged. Nil: there are none.
	Held *ListenPEM `koanf:"-"`
}

// Auth says who may call.
type Auth struct {
	// Mode is keys (default) or none. None is allowed only where every listener is a loopback address
	// or a unix socket.
	Mode string `koanf:"mode" jsonschema:"enum=keys,enum=none"`

	// KeysFile holds one "name:sha256hex" a line. Default: keys beside the default config file.
	KeysFile string `koanf:"keys_file"`

	// AllowedHosts are Host headers accepted beyond the listeners' own names, without port.
	AllowedHosts []string `koanf:"allowed_hosts"`

	// AllowedOrigins are Origin headers accepted, scheme://host[:port]. None by default.
	AllowedOrigins []string `koanf:"allowed_origins"`

	// Keys are the contents of KeysFile. Empty when the mode is none or the file does not exist yet.
	Keys []Key `koanf:"-"`
}

// A Key lets its bearer in. Only its hash is ever stored.
type Key struct {
	// Name is how the key's holder is called in logs, spans and status.
	Name string

	// Hash is the SHA-256 of the secret.
	Hash [32]byte
}

// A Route maps one path segment to one upstream MCP endpoint.
type Route struct {
	// Upstream is the endpoint's URL. Its path and query reach the wire byte for byte.
	Upstream string `koanf:"upstream"`

	// Enabled is true by default; a route that is not enabled answers as if it did not exist.
	Enabled bool `koanf:"enabled"`

	// UpstreamAuth is sigv4 (default), sigv4-optional (sign when there are credentials, else send unsigned)
	// or none.
	UpstreamAuth string `koanf:"upstream_auth" jsonschema:"enum=sigv4,enum=sigv4-optional,enum=none"`

	// Profile is the AWS profile to sign as; it wins over keys of the environment. Empty: the SDK's order,
	// without instance metadata.
	Profile string `koanf:"profile"`

	// Region is the signing region: the route's own, else the host's, else the defaults'. Empty: the
	// profile's, else AWS_REGION, both known only when credentials are first fetched.
	Region string `koanf:"region"`

	// Service is the signing name: the route's own, else what the host table says. Never empty on a
	// route that signs.
	Service string `koanf:"service"`

	// AssumeRole is a role to take with the profile's credentials, and to sign as.
	AssumeRole AssumeRole `koanf:"assume_role"`

	// Credentials says how they are fetched.
	Credentials Credentials `koanf:"credentials"`

	// Payload is signed or unsigned: whether a signature covers the body. Default: unsigned for VPC Lattice,
	// which takes nothing else, signed for all others.
	Payload string `koanf:"payload" jsonschema:"enum=signed,enum=unsigned"`

	// Pool shapes this route's own connections.
	Pool Pool `koanf:"pool"`

	// Keepalive is how long a stream may be silent before its client gets a comment, which says nothing but
	// that it is open. Zero switches that off. Default: 15s.
	Keepalive time.Duration `koanf:"keepalive"`

	// Timeouts bound the parts of a call.
	Timeouts Timeouts `koanf:"timeouts"`

	// Retry says when a call is sent once more. One that may have had an effect never is.
	Retry Retry `koanf:"retry"`

	// Dial is what to connect to, host:port, instead of the upstream's host, whose name stays in the Host header,
	// the certificate and the signature. It goes with no proxy. Empty: the upstream's host.
	Dial string `koanf:"dial"`

	// Proxy is env (HTTPS_PROXY, HTTP_PROXY and NO_PROXY), none, or the URL of a proxy: http, https, socks5 or
	// socks5h. Default: env.
	Proxy Proxy `koanf:"proxy"`

	// Limits bound what this route takes on.
	Limits Limits `koanf:"limits"`

	// Breaker says when calls to an upstream that fails are refused at once.
	Breaker Breaker `koanf:"breaker"`

	// Headers are set on every request to the upstream; they win over the client's.
	Headers map[string]string `koanf:"headers"`

	// TLS shapes the connection to an https upstream.
	TLS TLS `koanf:"tls"`
}

// An AssumeRole is a role to take before a route signs. Without ARN there is none, and no other key.
type AssumeRole struct {
	// ARN is the role's: arn:aws:iam::123456789012:role/NAME. On a route, "" undoes that of the defaults.
	ARN string `koanf:"arn"`

	// ExternalID is what the role's trust policy asks for, if it does.
	ExternalID string `koanf:"external_id"`

	// SessionName is the role session's name. Empty: one that is the same after refresh, reload and restart.
	SessionName string `koanf:"session_name"`

	// Duration is how long a session lasts, 15m to 12h and no longer than the role allows. AWS gives one
	// hour at most when the profile's own credentials are a role's. Default: 1h.
	Duration time.Duration `koanf:"duration"`

	// Tags are the session's tags, at most 50.
	Tags map[string]string `koanf:"tags"`
}

// Credentials says how a route's credentials are fetched.
type Credentials struct {
	// Timeout bounds one fetch. Default: 45s.
	Timeout time.Duration `koanf:"timeout"`

	// Wait is how long a call waits when there are no credentials yet. Default: 10s.
	Wait time.Duration `koanf:"wait"`

	// InstanceMetadata asks the machine's metadata service when there is no other source. It goes with no
	// profile named on the route.
	InstanceMetadata bool `koanf:"instance_metadata"`
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

// A Size is a number of bytes, written with its unit: 512B, 64KiB, 4MiB, 1GiB.
type Size int64

// Default is a Config with no route and every other key at its default. It is the only place where a
// default stands.
func Default() Config {
	return Config{
		Listen:    []string{"127.0.0.1:8484"},
		Auth:      Auth{Mode: "keys", KeysFile: "~/.config/signet/keys"},
		Drain:     30 * time.Second,
		Memory:    256 << 20,
		Log:       Log{Level: "info", Format: "auto", Calls: CallLog{Level: "debug", Sample: 1}},
		Telemetry: Telemetry{Traces: "none", Metrics: []string{"prometheus"}, Sample: 1},
	}
}

// DefaultRoute is a Route with every key at its default.
func DefaultRoute() Route {
	return Route{
		Enabled:      true,
		UpstreamAuth: "sigv4",
		AssumeRole:   AssumeRole{Duration: time.Hour},
		Credentials:  Credentials{Timeout: 45 * time.Second, Wait: 10 * time.Second},
		Payload:      "signed",
		Pool:         Pool{MaxConnections: 128, MaxIdle: 128, IdleTimeout: 50 * time.Second, HTTP2: true},
		Keepalive:    15 * time.Second,
		Retry:        Retry{Max: 1, Throttle: true},
		Proxy:        ProxyEnv,
		Timeouts: Timeouts{
			Connect:   5 * time.Second,
			TLS:       5 * time.Second,
			FirstByte: 120 * time.Second,
			Idle:      300 * time.Second,
			Call:      30 * time.Minute,
		},
		Limits:  Limits{Calls: 64, Streams: 64, Queue: 128, QueueWait: 2 * time.Second, PerClient: 32, Body: 4 << 20},
		Breaker: Breaker{Failures: 5, Open: 5 * time.Second, MaxOpen: time.Minute},
	}
}
