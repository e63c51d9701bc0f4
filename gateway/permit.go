package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"signet/gateway/envelope"
	"signet/gateway/policy"
)

// permitted reports whether all that the message asks for may be done, or answers why not. Then nothing of it is
// sent: not the rest of a batch either.
func (c *call) permitted() bool {
	if c.route.tools == nil || c.r.Method != http.MethodPost {
		return true
	}
	if e := c.forbidden(c.message); e != nil {
		c.fail(e)
		return false
	}
	return true
}

// forbidden is why a message may not be sent, or nil. A call of a tool that nobody waits for is one as well.
func (c *call) forbidden(m envelope.Message) *envelope.Error {
	for _, element := range m.Batch {
		if e := c.forbidden(element); e != nil {
			return e
		}
	}
	switch {
	case m.Method == "tools/call":
	case isMethod(m.Method, "tools/call"):
		return c.fault(envelope.CodeDenied, "tool_policy", notSent, fmt.Sprintf("the method is tools/call, not %s", quoted(m.Method)))
	default:
		return nil
	}
	switch verdict := c.route.tools.Call(m.Name, time.Now()); verdict {
	case policy.Permitted:
		return nil
	case policy.Unseen:
		return c.unseen(m.Name)
	default:
		return c.denied(m.Name, verdict)
	}
}

// isMethod reports whether a server that is not strict might take one text for the name of a method.
func isMethod(text, method string) bool {
	return strings.EqualFold(strings.Trim(strings.TrimSpace(text), "/"), method)
}

// denied is an error for a tool that may not be called.
func (c *call) denied(tool string, verdict policy.Verdict) *envelope.Error {
	code, reason, why := envelope.CodeDenied, "tool_policy", ""
	switch verdict {
	case policy.Drifted, policy.Unpinned:
		code, reason = envelope.CodeToolChanged, "tool_changed"
		why = fmt.Sprintf("it is not as it was accepted (tools.pin). See: signet pin %s", c.route.name)
		if verdict == policy.Unpinned {
			why = fmt.Sprintf("nobody has accepted it (tools.pin). Run: signet pin %s --accept", c.route.name)
		}
	case policy.NoName:
		why = "it has no name, or one with characters that nobody sees"
	case policy.Denied:
		why = "tools.deny"
	case policy.NotAllowed:
		why = "tools.allow does not have it"
	default:
		reason, why = "read_only", "tools.read_only, and it does not say that it only reads"
	}
	return c.fault(code, reason, notSent, fmt.Sprintf("the tool %s is denied: %s", quoted(tool), why))
}

// quoted is the name of a tool as a message has it.
func quoted(name string) string {
	const longest = 128
	if len(name) > longest {
		name = name[:longest] + "..."
	}
	return fmt.Sprintf("%q", name)
}

// unseen asks the upstream for a tool of which it is not known, or no longer, whether it only reads or is what was
// accepted, and is why it may not be called, or nil. Where the upstream does not say, what its last list said holds,
// until it says that its tools are others.
func (c *call) unseen(tool string) *envelope.Error {
	fault := c.look()
	verdict := c.route.tools.Call(tool, time.Now())
	if verdict == policy.Unseen && fault != nil {
		verdict = c.route.tools.Last(tool)
	}
	switch {
	case verdict == policy.Permitted:
		return nil
	case verdict != policy.Unseen:
		return c.denied(tool, verdict)
	}
	code, rule, reason := envelope.CodeDenied, "tools.read_only", "read_only"
	if !c.route.config.Tools.ReadOnly {
		code, rule, reason = envelope.CodeToolChanged, "tools.pin", "tool_changed"
	}
	if fault == nil {
		return c.fault(code, reason, notSent, fmt.Sprintf("the tool %s is denied: %s, and the upstream lists no such tool", quoted(tool), rule))
	}
	e := c.fault(code, reason+"_unverified", notSent, fmt.Sprintf(
		"the tool %s cannot be held against %s, for the upstream did not list its tools: %s", quoted(tool), rule, fault.Message))
	e.Retryable, e.RetryAfter, e.UpstreamStatus = true, fault.RetryAfter, fault.UpstreamStatus
	return e
}
