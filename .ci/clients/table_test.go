package clients

import (
	"strings"
	"time"
)

// A row is a class of failure on a route of its own: what a client is to see of it.
type row struct {
	name   string // the route's
	code   int
	reason string
	due    time.Duration // when at the latest the gateway is to say so

	tool    string // what is called; empty: echo
	args    map[string]any
	path    string // how the route reaches the upstream: empty, "http" or "https" through a wire
	healthy string // keys of the route
	broken  string // more of them while it fails
	removed bool   // while it fails there is no such route
	door    bool   // it is refused by status and without an id, of which each client makes what it can

	wire  string // what becomes of its wire: cut, silent, impostor
	raw   string // a tool that the test itself calls first
	raws  int    // how often; below zero: once, and it stays under way
	early bool   // the call is under way when the route begins to fail
}

const (
	signs   = "profile: good"
	quickly = 200 * time.Millisecond // there is nothing to wait for
)

// large are arguments that are too much where little is allowed.
func large() map[string]any { return map[string]any{"x": strings.Repeat("x", 64<<10)} }

// rows are the classes of the error contract.
func rows() []row {
	return []row{
		{name: "refused", code: -31001, reason: "refused", due: quickly, path: "http", wire: "cut"},
		{name: "dns", code: -31001, reason: "dns", due: 2 * time.Second, broken: "dial: nowhere.invalid:1, timeouts: { connect: 2s }"},
		{name: "tls", code: -31001, reason: "tls", due: quickly, path: "https", wire: "impostor"},
		{name: "circuit-open", code: -31001, reason: "circuit_open", due: quickly, healthy: "breaker: { failures: 0 }",
			broken: "breaker: { failures: 1, open: 60s }", raw: "status", raws: 1},
		{name: "connect", code: -31002, reason: "connect", due: time.Second, path: "https", wire: "silent", broken: "timeouts: { tls: 1s }"},
		{name: "first-byte", code: -31002, reason: "first_byte", due: time.Second, tool: "hang", broken: "timeouts: { first_byte: 1s }"},
		{name: "idle", code: -31002, reason: "idle", due: time.Second, tool: "stall", broken: "timeouts: { idle: 1s }"},
		{name: "total", code: -31002, reason: "total", due: 2 * time.Second, tool: "forever", broken: "timeouts: { call: 2s }"},
		{name: "redirect", code: -31003, reason: "redirect_refused", due: quickly, tool: "redirect"},
		{name: "html", code: -31003, reason: "html", due: quickly, tool: "html"},
		{name: "plain-text", code: -31003, reason: "content_type", due: quickly, tool: "plain"},
		{name: "truncated", code: -31003, reason: "truncated", due: quickly, tool: "truncated"},
		{name: "encoding", code: -31003, reason: "encoding", due: quickly, tool: "encoding"},
		{name: "status-500", code: -31003, reason: "status", due: quickly, tool: "status"},
		{name: "status-401", code: -31003, reason: "status", due: quickly, tool: "login"},
		{name: "lost", code: -31001, reason: "broken", due: quickly, tool: "gone"},
		{name: "throttled-429", code: -31004, reason: "upstream_throttled", due: quickly, tool: "throttled"},
		{name: "throttled-503", code: -31004, reason: "upstream_throttled", due: quickly, tool: "unavailable"},
		{name: "stream-reset", code: -31005, reason: "stream_broken", due: quickly, tool: "reset"},
		{name: "stream-eof", code: -31005, reason: "stream_broken", due: quickly, tool: "eof"},
		{name: "stream-idle", code: -31005, reason: "stream_broken", due: time.Second, tool: "silent", broken: "timeouts: { idle: 1s }"},
		{name: "no-profile", code: -31010, reason: "no_profile", due: quickly, healthy: signs, broken: "profile: nobody"},
		{name: "no-credentials", code: -31010, reason: "no_credentials", due: quickly, healthy: signs, broken: "profile: empty"},
		{name: "sso-expired", code: -31010, reason: "sso_expired", due: quickly, healthy: signs, broken: "profile: corp"},
		{name: "login-expired", code: -31010, reason: "login_expired", due: quickly, healthy: signs, broken: "profile: login"},
		{name: "process-failed", code: -31010, reason: "process_failed", due: quickly, healthy: signs, broken: "profile: process"},
		{name: "process-timeout", code: -31010, reason: "process_timeout", due: 2 * time.Second, healthy: signs,
			broken: "profile: slow, credentials: { timeout: 1s, wait: 2s }"},
		{name: "sts-unreachable", code: -31010, reason: "sts_unreachable", due: 2 * time.Second, healthy: signs,
			broken: "profile: role, credentials: { timeout: 1s, wait: 2s }"},
		{name: "mfa", code: -31010, reason: "mfa", due: quickly, healthy: signs, broken: "profile: mfa"},
		{name: "access-denied", code: -31011, reason: "access_denied", due: quickly, healthy: signs, tool: "denied"},
		{name: "signature", code: -31011, reason: "signature", due: quickly, healthy: signs, tool: "signature"},
		{name: "expired", code: -31011, reason: "expired", due: quickly, healthy: signs, tool: "expired"},
		{name: "invalid-token", code: -31011, reason: "invalid_token", due: quickly, healthy: signs, tool: "unrecognized"},
		{name: "queue-full", code: -31020, reason: "queue_full", due: quickly, broken: "limits: { calls: 1, queue: 0 }", raw: "hold", raws: -1},
		{name: "queue-timeout", code: -31020, reason: "queue_timeout", due: time.Second,
			broken: "limits: { calls: 1, queue_wait: 1s }", raw: "hold", raws: -1},
		{name: "rate", code: -31020, reason: "rate", due: quickly, broken: "limits: { rate: 0.001, burst: 1, queue_wait: 100ms }", raw: "echo", raws: 1},
		{name: "draining", code: -31021, reason: "draining", due: time.Second, tool: "hold", removed: true, early: true},
		{name: "event-too-large", code: -31025, reason: "too_large", due: 2 * time.Second, tool: "large"},
		{name: "body-too-large", code: -31025, reason: "too_large", due: quickly, door: true, broken: "limits: { body: 16KiB }",
			args: large()},
		{name: "tool-denied", code: -31030, reason: "tool_policy", due: quickly, broken: "tools: { deny: [ech*] }"},
		{name: "tool-not-allowed", code: -31030, reason: "tool_policy", due: quickly, broken: "tools: { allow: [hang] }"},
		{name: "read-only", code: -31030, reason: "read_only", due: quickly, broken: "tools: { read_only: true }"},
		{name: "tool-changed", code: -31031, reason: "tool_changed", due: quickly, broken: "tools: { pin: block }"},
		{name: "no-such-route", code: -31040, reason: "no_such_route", due: quickly, door: true, removed: true},
	}
}
