package gateway

import (
	"strings"
	"testing"
	"time"

	"signet/config"
	"signet/gateway/credentials"
	"signet/gateway/envelope"
)

// noon is when the routes of these tests are looked at.
func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// ill is a call that went badly so long before noon.
func ill(ago time.Duration, code int, reason string) *Failure {
	return &Failure{At: noon().Add(-ago), Code: code, Reason: reason, Message: "WORDS"}
}

func unreachable(ago time.Duration) *Failure { return ill(ago, envelope.CodeUnreachable, "refused") }

func failedAgo(d time.Duration) *credentials.LastRefresh {
	return &credentials.LastRefresh{At: noon().Add(-d), Error: "x"}
}

// ended is a login that a person must renew, and silent is an STS that nobody can mend here.
func ended() *credentials.Problem {
	return &credentials.Problem{Reason: "sso_expired", Message: "EXPIRED", Action: "aws sso login --profile p"}
}

func silent() *credentials.Problem {
	return &credentials.Problem{Reason: "sts_unreachable", Message: "SILENT"}
}

// healths are what the health of a route is, by what is known of it: "level: summary | text | command".
type healths map[string]struct {
	change func(c *condition)
	want   string
}

func (tests healths) run(t *testing.T) {
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := condition{
				now: noon(), admin: Enabled, path: "/etc/signet.yaml", upstream: "https://up.test/mcp", config: config.DefaultRoute(),
				credentials: &credentials.State{}, limits: LimitsStatus{Circuit: "closed"},
			}
			c.config.Profile = "my p"
			test.change(&c)
			h := c.health()
			got := h.Level + ": " + h.Summary
			if h.Action != nil {
				got = strings.TrimSuffix(got+" | "+h.Action.Text+" | "+h.Action.Command, " | ")
			}
			if got != test.want || h.Admin != c.admin {
				t.Errorf("got  %s (%s)\nwant %s", got, h.Admin, test.want)
			}
		})
	}
}

func TestHealthOfARouteOfWhichNothingBadIsKnown(t *testing.T) {
	healths{
		"nothing is known": {func(*condition) {}, "healthy: no call yet"},
		"it was answered": {func(c *condition) { c.history.Answered = noon().Add(-90 * time.Second) },
			"healthy: the last call was answered 1 min ago"},
		"disabled": {func(c *condition) { c.admin, c.limits.Circuit = Disabled, "open" },
			"healthy: disabled in the config"},
	}.run(t)
}

func TestHealthTellsOfCredentialsThatCannotBeHad(t *testing.T) {
	healths{
		"there are no credentials": {func(c *condition) { c.credentials.Problem = ended() },
			"unhealthy: EXPIRED | no restart needed | aws sso login --profile p"},
		"those held serve on": {func(c *condition) { c.credentials.Problem, c.credentials.KeyID = ended(), "AKIA" },
			"degraded: those held serve on, but new credentials cannot be had: EXPIRED | no restart needed | aws sso login --profile p"},
		"those held end soon": {func(c *condition) {
			c.credentials.Problem, c.credentials.KeyID, c.credentials.Expires = ended(), "AKIA", noon().Add(150*time.Second)
		}, "degraded: those held end in 2 min, and new credentials cannot be had: EXPIRED | no restart needed | aws sso login --profile p"},
		"those held end soon, by a clock that is ahead": {func(c *condition) {
			c.credentials.Problem, c.credentials.KeyID, c.credentials.Expires, c.ahead = ended(), "AKIA", noon().Add(150*time.Second), 3*time.Minute
		}, "unhealthy: EXPIRED | no restart needed | aws sso login --profile p"},
		"those held have ended": {func(c *condition) {
			c.credentials.Problem, c.credentials.KeyID, c.credentials.Expires = ended(), "AKIA", noon().Add(-time.Second)
		}, "unhealthy: EXPIRED | no restart needed | aws sso login --profile p"},
		"an idle route whose login has ended stays so": {func(c *condition) {
			c.credentials.Problem, c.credentials.LastRefresh = ended(), failedAgo(9*time.Hour)
		}, "unhealthy: EXPIRED | no restart needed | aws sso login --profile p"},
		"STS is silent": {func(c *condition) {
			c.credentials.Problem, c.credentials.LastRefresh = silent(), failedAgo(time.Minute)
		},
			"unhealthy: SILENT"},
		"an idle route whose STS was silent once": {func(c *condition) {
			c.credentials.Problem, c.credentials.LastRefresh = silent(), failedAgo(9*time.Hour)
		}, "healthy: no call for 9 h 0 min; then there were no credentials: SILENT"},
		"nobody to sign as where that is optional": {func(c *condition) {
			c.config.UpstreamAuth = "sigv4-optional"
			c.credentials.Problem = &credentials.Problem{Message: "NONE", Action: "aws configure", Absent: true}
		}, "healthy: no call yet"},
		"somebody who cannot sign where that is optional": {func(c *condition) {
			c.config.UpstreamAuth, c.credentials.Problem = "sigv4-optional", ended()
		}, "unhealthy: EXPIRED | no restart needed | aws sso login --profile p"},
	}.run(t)
}

func TestHealthTellsOfCredentialsThatAWSDoesNotTake(t *testing.T) {
	healths{
		"AWS takes no key": {func(c *condition) {
			c.history.Refused = Recent{3, 1, 1, ill(time.Minute, envelope.CodeRejected, "invalid_token")}
		}, "unhealthy: WORDS | renew the credentials (no restart needed), or see who they are | aws sts get-caller-identity --profile 'my p'"},
		"AWS took no key, and there is another": {func(c *condition) {
			c.history.Refused = Recent{3, 1, 1, ill(time.Minute, envelope.CodeRejected, "invalid_token")}
			c.credentials.Obtained = noon().Add(-30 * time.Second)
		}, "healthy: the last call, 1 min ago, failed: WORDS"},
		"AWS took no key, and the files have changed": {func(c *condition) {
			c.history.Refused = Recent{3, 3, 3, ill(time.Minute, envelope.CodeRejected, "expired")}
			c.credentials.Edited = noon().Add(-30 * time.Second)
		}, "healthy: the last call, 1 min ago, failed: WORDS"},
		"AWS took no key, and then one": {func(c *condition) {
			c.history.Refused = Recent{3, 2, 0, ill(time.Minute, envelope.CodeRejected, "expired")}
			c.history.Answered = noon()
		}, "healthy: the last call was answered 0 s ago"},
		"AWS took no key long ago": {func(c *condition) {
			c.history.Refused = Recent{3, 1, 1, ill(6*time.Minute, envelope.CodeRejected, "expired")}
		}, "healthy: the last call, 6 min ago, failed: WORDS"},
		"the signature is wrong": {func(c *condition) {
			c.history.Refused = Recent{1, 1, 1, ill(0, envelope.CodeRejected, "signature")}
		}, "unhealthy: WORDS | check service and region of the route | signet validate /etc/signet.yaml"},
		"the clock is wrong": {func(c *condition) {
			c.history.Refused = Recent{1, 1, 1, ill(0, envelope.CodeRejected, "clock_skew")}
		}, "unhealthy: WORDS | set this machine's clock to what this says | curl -sI https://up.test/ | grep -i ^date; date -u"},
		"there is no region": {func(c *condition) {
			c.history.Refused = Recent{1, 1, 1, ill(0, envelope.CodeCredentials, "no_region")}
		}, "unhealthy: WORDS | set region on the route, and check | signet validate /etc/signet.yaml"},
	}.run(t)
}

func TestHealthTellsOfAnUpstreamThatFails(t *testing.T) {
	healths{
		"the circuit is open": {func(c *condition) {
			c.limits.Circuit, c.limits.OpenFor, c.history.Failed = "open", 4, Recent{5, 5, 5, ill(0, envelope.CodeTimeout, "first_byte")}
		}, "unhealthy: the upstream failed 5 times in a row (WORDS) and is tried again in 4 s | raise timeouts.first_byte of the route if its tools take longer"},
		"the circuit is about to try": {func(c *condition) {
			c.limits.Circuit, c.history.Failed = "half_open", Recent{5, 5, 5, unreachable(time.Minute)}
		}, "unhealthy: the upstream failed 5 times in a row (WORDS); the next call tries it again | see what answers there | curl -sv -o /dev/null https://up.test/mcp"},
		"nobody has tried for long": {func(c *condition) {
			c.limits.Circuit, c.history.Failed = "half_open", Recent{5, 5, 5, unreachable(time.Hour)}
		}, "healthy: the last call, 1 h 0 min ago, failed: WORDS"},

		"one call failed": {func(c *condition) { c.history.Failed = Recent{9, 1, 1, unreachable(time.Minute)} },
			"degraded: the last call failed: WORDS | see what answers there | curl -sv -o /dev/null https://up.test/mcp"},
		"one call failed, others did not": {func(c *condition) {
			c.history.Failed, c.history.Answered = Recent{9, 1, 0, unreachable(time.Minute)}, noon()
		}, "healthy: the last call was answered 0 s ago"},
		"some calls fail": {func(c *condition) {
			c.history.Failed = Recent{20, 2, 0, ill(time.Minute, envelope.CodeStreamBroken, "stream_broken")}
		}, "degraded: 2 of the last 20 calls failed: WORDS"},
		"three in a row fail": {func(c *condition) {
			c.history.Failed = Recent{20, 3, 3, ill(time.Minute, envelope.CodeBadResponse, "html")}
		}, "unhealthy: the last 3 calls failed: WORDS | check upstream: it is no MCP endpoint | curl -sv -o /dev/null https://up.test/mcp"},
		"half of them fail, and the last did not": {func(c *condition) {
			c.history.Failed = Recent{20, 10, 0, ill(time.Minute, envelope.CodeTimeout, "total")}
		}, "unhealthy: 10 of the last 20 calls failed: WORDS | raise timeouts.call of the route if its tools take longer"},
		"all failed long ago": {func(c *condition) { c.history.Failed = Recent{20, 20, 20, unreachable(current + time.Second)} },
			"healthy: the last call, 5 min ago, failed: WORDS"},
		"access is denied": {func(c *condition) {
			c.history.Failed = Recent{20, 20, 20, ill(0, envelope.CodeRejected, "access_denied")}
		}, "unhealthy: all of the last 20 calls failed: WORDS | ask for the permission, or use another profile; see who this is | aws sts get-caller-identity --profile 'my p'"},
	}.run(t)
}

func TestHealthTellsOfTooManyCallsAndSlowOnes(t *testing.T) {
	healths{
		"clients give up": {func(c *condition) { c.history.Deserted = Recent{20, 3, 3, ill(0, 0, "client_cancelled")} },
			"degraded: the last 3 calls had no answer yet when the client left | see whether the upstream hangs: timeouts.first_byte is 2m0s | curl -sv -o /dev/null https://up.test/mcp"},
		"a client gives up": {func(c *condition) {
			c.history.Deserted = Recent{20, 2, 2, ill(time.Second, 0, "client_cancelled")}
		},
			"healthy: the last call, 1 s ago, failed: WORDS"},
		"AWS throttles": {func(c *condition) {
			c.history.Throttled = Recent{20, 1, 1, ill(10*time.Second, envelope.CodeThrottled, "upstream_throttled")}
		}, "degraded: the last call came too often for the upstream | set limits.rate or limits.calls of the route to what the upstream allows"},
		"AWS throttled": {func(c *condition) {
			c.history.Throttled = Recent{20, 9, 9, ill(61*time.Second, envelope.CodeThrottled, "upstream_throttled")}
		}, "healthy: the last call, 1 min ago, failed: WORDS"},
		"the queue is full": {func(c *condition) {
			c.history.Shed = Recent{20, 4, 0, ill(0, envelope.CodeOverloaded, "queue_full")}
		}, "degraded: 4 of the last 20 calls found no room: WORDS | raise limits.calls or limits.queue of the route"},
		"the worst is told": {func(c *condition) {
			c.history.Shed = Recent{20, 4, 0, ill(0, envelope.CodeOverloaded, "rate")}
			c.history.Failed = Recent{20, 3, 3, ill(0, envelope.CodeBadResponse, "internal")}
			c.credentials.Problem, c.credentials.KeyID = ended(), "AKIA"
		}, "unhealthy: the last 3 calls failed: WORDS"},
	}.run(t)
}
