package config

import (
	"os"
	"strings"
)

// A profile is what is known of a profile in AWS's own files: the keys it has, never what they hold.
type profile struct {
	source string          // its source_profile
	has    map[string]bool // the keys that have a value
}

// hasKeys reports whether a profile has access keys of its own.
func (p profile) hasKeys() bool { return p.has["aws_access_key_id"] && p.has["aws_secret_access_key"] }

// lends reports whether the SDK takes a profile as the source of another: all but one of "aws login" that
// has no second source.
func (p profile) lends() bool {
	for _, key := range []string{
		"source_profile", "credential_source", "credential_process", "web_identity_token_file",
		"sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name",
	} {
		if p.has[key] {
			return true
		}
	}
	return p.hasKeys()
}

// profiles are the profiles of AWS's own files by name, for warnings. Nil: there is no such file, and nothing
// can be said.
func (l *loading) profiles() map[string]profile {
	var all map[string]profile
	for _, file := range []struct{ variable, path, prefix string }{
		{"AWS_CONFIG_FILE", "~/.aws/config", "profile"}, {"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", ""},
	} {
		path := variable(l.options.Environ, file.variable)
		if path == "" {
			path = ExpandHome(file.path, l.options.Environ)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if all == nil {
			all = map[string]profile{}
		}
		addProfiles(all, string(content), file.prefix)
	}
	return all
}

// addProfiles adds the profiles of one file, read as the SDK does: an indented line belongs to the key above it
// when that has no value of its own.
func addProfiles(all map[string]profile, text, prefix string) {
	section, nested := "", false
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		if heading := strings.TrimSpace(uncommented(trimmed, "#", ";")); heading[0] == '[' && strings.HasSuffix(heading, "]") {
			section, nested = profileName(heading[1:len(heading)-1], prefix), false
			if _, known := all[section]; section != "" && !known {
				all[section] = profile{has: map[string]bool{}}
			}
			continue
		}
		indented := line[0] == ' ' || line[0] == '\t'
		key, value, ok := property(trimmed)
		if !ok || section == "" || indented && nested {
			continue
		}
		nested = value == ""
		p := all[section]
		if p.has[key] = value != ""; key == "source_profile" {
			p.source = value
		}
		all[section] = p
	}
}

// profileName is the name of the profile that a heading without its brackets begins, or "" if it is of another
// kind. In the config file all but the default have a word before them, in the credentials file none has.
func profileName(heading, prefix string) string {
	kind, name, two := strings.Cut(strings.TrimSpace(strings.ReplaceAll(heading, "\t", " ")), " ")
	switch {
	case two && kind == "profile" && prefix == "profile":
		return strings.Trim(name, " \"'")
	case !two && (prefix == "" || strings.EqualFold(kind, "default")):
		return strings.Trim(kind, "\"'")
	}
	return ""
}

// property is a line's key and value; false if it is none.
func property(line string) (key, value string, ok bool) {
	line = uncommented(line, " #", " ;", "\t#", "\t;")
	i := strings.IndexAny(line, "=:")
	if i < 0 {
		return "", "", false
	}
	value = strings.TrimSpace(line[i+1:])
	if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return strings.ToLower(strings.TrimSpace(line[:i])), value, true
}

// uncommented is a line up to the first of some signs.
func uncommented(line string, signs ...string) string {
	for _, sign := range signs {
		line, _, _ = strings.Cut(line, sign)
	}
	return line
}
