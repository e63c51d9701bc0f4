package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// routeRules hold one route against its rules.
type routeRules struct {
	*loading
	path, name string
	route      Route
	profiles   map[string]profile // nil: not known
}

func (v *routeRules) problem(key, what, hint string) { v.loading.problem(v.path+key, what, hint) }
func (v *routeRules) warn(key, what, hint string)    { v.loading.warn(v.path+key, what, hint) }

func (v *routeRules) check() {
	v.checkName()
	v.checkProfiles()
	u := v.checkUpstream()
	if u != nil && v.route.signs() {
		v.checkSigning(u)
	}
	v.checkRole()
	v.checkCredentials()
	v.checkPool()
	v.checkTimeouts()
	v.checkLimits()
	if u != nil {
		v.checkFence(u)
	}
	v.checkBreaker()
	v.checkHeaders()
	v.checkForwardHeaders()
	v.checkMeta()
	v.checkWay()
	v.checkTLS(u)
	v.checkTools()
}

func (v *routeRules) checkName() {
	switch {
	case v.name == "mcp" || v.name == "token" || v.name == "register" || v.name == "authorize":
		v.problem("", "the name is reserved", "")
	case !IsName(v.name):
		v.problem("", "is no route name", "lower-case letters, digits, - and _, beginning with a letter or digit, at most 63")
	}
}

// checkUpstream is the upstream's URL, or nil if it is none.
func (v *routeRules) checkUpstream() *url.URL {
	raw := v.route.Upstream
	if raw == "" {
		if !v.broken(v.path+"/upstream") && !v.misspelt(v.path+"/upstream") {
			v.problem("/upstream", "is missing", "write the URL of the MCP endpoint")
		}
		return nil
	}
	if what, hint := spellingProblem(raw); what != "" {
		v.problem("/upstream", what, hint)
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		v.problem("/upstream", "is no URL", "write https://host/path")
		return nil
	}
	if what, hint := urlProblem(u, raw); what != "" {
		v.problem("/upstream", what, hint)
		return nil
	}
	if u.Scheme == "http" && !isLoopback(u.Hostname()) && v.route.signs() {
		v.problem("/upstream", "a signed upstream is reached by https", "http is for loopback addresses alone")
		return nil
	}
	return u
}

// spellingProblem is what keeps a text from being a URL, whatever it says.
func spellingProblem(raw string) (what, hint string) {
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] > '~' {
			return "has a space or a character that is not ASCII", "write it as %XX"
		}
		if raw[i] == '%' && (len(raw) < i+3 || !isHex(raw[i+1]) || !isHex(raw[i+2])) {
			return "has a bad escape", "write % as %25"
		}
	}
	return "", ""
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// urlProblem is what keeps a URL from reaching the wire byte for byte, or from being signed.
func urlProblem(u *url.URL, raw string) (what, hint string) {
	path := u.EscapedPath()
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "is neither https nor http", "write https://host/path"
	case u.User != nil:
		return "has a user name or password in it", "credentials come from the profile"
	case strings.Contains(raw, "#"):
		return "has a fragment, which is never sent", "take # and what follows away"
	case strings.Contains(u.RawQuery, ";"):
		return "has ; in its query, which servers read differently", "write & between parameters, %3B for the character"
	case strings.Contains(u.RawQuery, "+"):
		return "has + in its query, which servers read differently", "write %20 for a space, %2B for a plus"
	case u.Port() != "" && !isPort(u.Port()):
		return "has a port that there is not", "ports are 1 to 65535"
	case strings.Contains(path, "//"):
		return "has // in its path, which AWS signs differently", "write the path with single slashes"
	}
	for segment := range strings.SplitSeq(strings.ToLower(path), "/") {
		if s := strings.ReplaceAll(segment, "%2e", "."); s == "." || s == ".." {
			return "has . or .. in its path, which AWS signs differently", "write the path it stands for"
		}
	}
	return "", ""
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func (v *routeRules) checkPool() {
	p := v.route.Pool
	switch {
	case p.MaxConnections < 1:
		v.problem("/pool/max_connections", "must be 2 or more", "")
	case p.MaxConnections == 1:
		v.problem("/pool/max_connections", "must be 2 or more",
			"a server that asks the client something while a call runs is answered on a second connection")
	}
	switch {
	case p.MaxIdle < 0:
		v.problem("/pool/max_idle", "is negative", "")
	case p.MaxIdle > p.MaxConnections && p.MaxIdle != DefaultRoute().Pool.MaxIdle:
		v.warn("/pool/max_idle", fmt.Sprintf("is more than max_connections, %d", p.MaxConnections), "")
	}
	if p.IdleTimeout < 0 {
		v.problem("/pool/idle_timeout", "is negative", "")
	}
}

func (v *routeRules) checkTimeouts() {
	t := v.route.Timeouts
	for _, limit := range []struct {
		key   string
		value time.Duration
		least time.Duration
	}{
		{"connect", t.Connect, 1}, {"tls", t.TLS, 1}, {"first_byte", t.FirstByte, 0}, {"idle", t.Idle, 0}, {"call", t.Call, 0},
	} {
		if limit.value < limit.least {
			v.problem("/timeouts/"+limit.key, "must be more than 0", "")
		}
	}
	if v.route.Keepalive < 0 {
		v.problem("/keepalive", "is negative", "")
	}
}

func (v *routeRules) checkHeaders() {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(v.route.Headers)) {
		path, value, lower := "/headers/"+name, v.route.Headers[name], strings.ToLower(name)
		first, twice := seen[lower]
		seen[lower] = name
		switch {
		case twice:
			v.problem(path, "stands twice, as "+first+": the case of a header's name says nothing", "")
		case !isToken(name):
			v.problem(path, "is no header name", "")
		case isReserved(name):
			v.problem(path, "is not yours to set: it belongs to the connection, the signature or the protocol", "")
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r > 0xff }) || strings.TrimSpace(value) != value:
			v.problem(path, "the value has a character that a header cannot have", "")
		}
	}
}

// isToken reports whether s may be a header's name (RFC 9110).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

// isReserved reports whether a header is the gateway's own.
func isReserved(name string) bool {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	switch name {
	case "host", "authorization", "content-length", "content-type", "content-encoding", "accept", "accept-encoding",
		"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade", "expect", "cookie", "origin", "user-agent", "idempotency-key", "x-idempotency-key",
		"mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id", "traceparent", "tracestate":
		return true
	}
	return strings.HasPrefix(name, "x-amz-")
}

// checkTLS reads the files that tls names, so that what is wrong with them is known before they are used. u is the
// upstream, or nil.
func (v *routeRules) checkTLS(u *url.URL) {
	t := &v.route.TLS
	if (t.CertFile == "") != (t.KeyFile == "") {
		v.problem("/tls", "cert_file and key_file go together", "")
	}
	if t.Insecure {
		v.warn("/tls/insecure", "any certificate is accepted: whoever is in between reads and changes every call", "set ca_file instead")
	}
	if t.CAFile == "" && u != nil && u.Scheme == "https" {
		t.CAFile = v.bundle
	}
	v.anchors(v.path+"/tls/ca_file", &t.CAFile)
	v.pair(v.path+"/tls/cert_file", &t.CertFile, v.path+"/tls/key_file", &t.KeyFile)
}
