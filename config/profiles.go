package config

import (
	"os"
	"strings"
)

// profiles are the names of the profiles in AWS's own files, for a warning. Nil: there is no such file, and
// nothing can be said.
func (l *loading) profiles() []string {
	var names []string
	for _, file := range []struct{ variable, path string }{
		{"AWS_CONFIG_FILE", "~/.aws/config"}, {"AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"},
	} {
		path := variable(l.options.Environ, file.variable)
		if path == "" {
			path = ExpandHome(file.path, l.options.Environ)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		names = append(names, sections(string(content))...)
	}
	return names
}

// sections are the names in [brackets] that are profiles.
func sections(text string) []string {
	names := []string{}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "[") || !strings.Contains(line, "]") {
			continue
		}
		name := strings.TrimSpace(line[1:strings.IndexByte(line, ']')])
		if strings.HasPrefix(name, "sso-session ") || strings.HasPrefix(name, "services ") {
			continue
		}
		names = append(names, strings.Trim(strings.TrimPrefix(name, "profile "), " \t\"'"))
	}
	return names
}
