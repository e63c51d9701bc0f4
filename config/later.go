package config

import "strings"

// comesLater reports whether a key that this version does not know is one that a later version brings: it
// is refused like an unknown one, but said to be right.
func comesLater(path string) bool {
	parts := strings.Split(path, "/")
	switch {
	case parts[0] == "defaults" && len(parts) > 1:
		return routeKeyLater(parts[1:])
	case parts[0] == "routes" && len(parts) > 2:
		return routeKeyLater(parts[2:])
	}
	switch path {
	case "auth/jwt", "clients", "aggregate":
		return true
	}
	return false
}

func routeKeyLater(path []string) bool {
	switch strings.Join(path, "/") {
	case "bearer", "profiles", "profile_param", "trace_meta", "forward_headers", "meta", "tools", "errors":
		return true
	}
	return false
}

// valueComesLater does the same for the values of a key.
func valueComesLater(path string, value any) bool {
	parts := strings.Split(path, "/")
	switch parts[len(parts)-1] {
	case "mode":
		return value == "jwt"
	case "upstream_auth":
		return value == "passthrough" || value == "bearer"
	}
	return false
}
