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
