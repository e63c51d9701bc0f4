package gateway

import (
	"net/url"
	"strings"

	"signet/gateway/envelope"
)

// remedy is what a person can do about a failure of the route. Nil: nothing is known.
func (c condition) remedy(f *Failure) *Action {
	if f == nil {
		return nil
	}
	switch f.Code {
	case envelope.CodeUnreachable, envelope.CodeTimeout:
		return c.reach(f.Reason)
	case envelope.CodeBadResponse, envelope.CodeStreamBroken:
		return c.mend(f)
	case envelope.CodeCredentials:
		return c.sign(f.Reason)
	case envelope.CodeRejected:
		return c.please(f.Reason)
	case envelope.CodeOverloaded:
		return c.widen(f.Reason)
	}
	return nil
}

// reach is about an upstream that is not there in time.
func (c condition) reach(reason string) *Action {
	switch reason {
	case "dns":
		return &Action{Text: "check the host in upstream, or the resolver", Command: c.look()}
	case "tls":
		return &Action{Text: "check the certificate, tls.ca_file and tls.server_name", Command: c.look()}
	case "first_byte", "total", "idle":
		key := reason
		if key == "total" {
			key = "call"
		}
		return &Action{Text: "raise timeouts." + key + " of the route if its tools take longer"}
	}
	return &Action{Text: "see what answers there", Command: c.look()}
}

// mend is about an upstream that answers what is no answer.
func (c condition) mend(f *Failure) *Action {
	switch f.Reason {
	case "redirect_refused", "html", "content_type":
		return &Action{Text: "check upstream: it is no MCP endpoint", Command: c.look()}
	case "status":
		if f.Status < 500 {
			return &Action{Text: "check upstream, and what the upstream wants", Command: c.look()}
		}
		return &Action{Text: "the upstream's own log says why"}
	}
	return nil
}

// sign is about a call that there was nothing to sign with.
func (c condition) sign(reason string) *Action {
	if reason == "no_region" {
		return &Action{Text: "set region on the route, and check", Command: "signet validate " + shellWord(c.path)}
	}
	return &Action{Text: "see whether the profile works by itself", Command: c.whoAmI()}
}

// please is about what AWS does not take.
func (c condition) please(reason string) *Action {
	switch reason {
	case "signature":
		return &Action{Text: "check service and region of the route", Command: "signet validate " + shellWord(c.path)}
	case "clock_skew":
		return &Action{Text: "set this machine's clock to what this says", Command: "curl -sI " + shellWord(site(c.upstream)) + " | grep -i ^date; date -u"}
	}
	if reason == "access_denied" {
		return &Action{Text: "ask for the permission, or use another profile; see who this is", Command: c.whoAmI()}
	}
	return &Action{Text: "renew the credentials (no restart needed), or see who they are", Command: c.whoAmI()}
}

// widen is about a call that there was no room for.
func (c condition) widen(reason string) *Action {
	switch reason {
	case "fds":
		return &Action{Text: "raise the number of files that the gateway may have open", Command: "ulimit -n"}
	case "queue_timeout":
		return &Action{Text: "raise limits.calls or limits.queue_wait of the route"}
	case "queue_full":
		return &Action{Text: "raise limits.calls or limits.queue of the route"}
	}
	return &Action{Text: "raise " + decidedBy(reason)}
}

// look is the command that shows what answers at the upstream.
func (c condition) look() string { return "curl -sv -o /dev/null " + shellWord(c.upstream) }

// whoAmI is the command that asks AWS whose the route's credentials are.
func (c condition) whoAmI() string {
	if p := c.config.Profile; p != "" {
		return "aws sts get-caller-identity --profile " + shellWord(p)
	}
	return "aws sts get-caller-identity"
}

// site is a URL without its path.
func site(upstream string) string {
	u, err := url.Parse(upstream)
	if err != nil {
		return upstream
	}
	return u.Scheme + "://" + u.Host + "/"
}

// shellWord is a word for a shell.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
