package config

import (
	"encoding/json"
	"net"
	"net/url"
)

// The ways to an upstream that are no proxy's URL.
const (
	ProxyEnv  Proxy = "env"
	ProxyNone Proxy = "none"
)

// A Proxy is how an upstream is reached: ProxyEnv, ProxyNone, or the URL of a proxy, which may hold a password.
// Printing, marshalling and logging it shows none.
type Proxy string

// URL is the proxy's URL with its user and password. Nil: there is none, or the environment's.
func (p Proxy) URL() *url.URL {
	if p == ProxyEnv || p == ProxyNone || p == "" {
		return nil
	}
	u, err := url.Parse(string(p))
	if err != nil {
		return nil
	}
	return u
}

// String is the proxy with xxxxx for its password.
func (p Proxy) String() string {
	if u := p.URL(); u != nil {
		return u.Redacted()
	}
	if p == ProxyEnv || p == ProxyNone || p == "" {
		return string(p)
	}
	return "(not shown)"
}

// GoString is String: %#v shows no password either.
func (p Proxy) GoString() string { return p.String() }

// MarshalJSON is String as JSON.
func (p Proxy) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }

// checkWay checks dial and proxy: how the upstream is reached.
func (v *routeRules) checkWay() {
	dial, proxy := v.route.Dial, v.route.Proxy
	if host, port, err := net.SplitHostPort(dial); dial != "" && (err != nil || host == "" || !isPort(port)) {
		v.problem("/dial", "is no address", "write host:port, 127.0.0.1:8443 for instance")
	}
	if proxy == ProxyEnv || proxy == ProxyNone {
		return
	}
	if what, hint := v.proxyProblem(); what != "" {
		v.problem("/proxy", what, hint)
		return
	}
	if dial != "" {
		v.problem("/dial", "goes with no proxy: it says itself what to connect to", "take dial or proxy away")
	}
}

// proxyProblem is what keeps a proxy from being one.
func (v *routeRules) proxyProblem() (what, hint string) {
	const write = "write env, none, or http://host:port"
	u := v.route.Proxy.URL()
	if u == nil || u.Hostname() == "" || u.Opaque != "" {
		return "is no proxy", write
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return "is a proxy of a kind that there is not", "http, https, socks5 and socks5h are known"
	}
	switch _, secret := u.User.Password(); {
	case u.Port() != "" && !isPort(u.Port()):
		return "has a port that there is not", "ports are 1 to 65535"
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return "has more than a host and a port", write
	case secret && !v.placeOf(v.path+"/proxy").filled:
		return "has a password in it", "keep it out of the file: ${VAR} or ${file:/path}"
	}
	return "", ""
}
