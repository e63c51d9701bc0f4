package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// sharedFiles are AWS's own files, where the environment said that they are: the SDK's defaults are fixed
// when the program starts.
type sharedFiles struct{ config, credentials string }

func files() sharedFiles {
	return sharedFiles{config: fileOf("AWS_CONFIG_FILE", "config"), credentials: fileOf("AWS_SHARED_CREDENTIALS_FILE", "credentials")}
}

func fileOf(variable, name string) string {
	if path := os.Getenv(variable); path != "" {
		return path
	}
	return inHome(".aws", name)
}

// inHome is a path in the user's home directory. Empty, which is no file's: there is none. The directory is the
// one that the SDK finds.
func inHome(parts ...string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		self, err := user.Current()
		if err != nil {
			return ""
		}
		home = self.HomeDir
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, filepath.Join(parts...))
}

// followed are the files that may change anybody's credentials.
func (f sharedFiles) followed() []string {
	paths := []string{f.config, f.credentials, inHome(".aws", "sso", "cache", "*.json")}
	if dir := loginCache(); dir != "" {
		paths = append(paths, filepath.Join(dir, "*.json"))
	}
	for _, variable := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE"} {
		paths = append(paths, os.Getenv(variable))
	}
	return slices.DeleteFunc(paths, func(path string) bool { return path == "" })
}

// readable refuses files that are there and cannot be read. The SDK takes them for empty, and what is empty
// names nobody to sign as.
func (f sharedFiles) readable() error {
	for _, file := range []struct{ path, name string }{{f.config, "~/.aws/config (or AWS_CONFIG_FILE)"}, {f.credentials, "~/.aws/credentials (or AWS_SHARED_CREDENTIALS_FILE)"}} {
		_, err := readFile(file.path)
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist), file.path == "":
		case errors.Is(err, fs.ErrPermission):
			return &Error{Reason: "no_credentials", Message: file.name + " may not be read by this program", Err: err}
		default:
			return &Error{Reason: "no_credentials", Message: file.name + " cannot be read: is it a file?", Err: err}
		}
	}
	return nil
}

// unloaded says why a profile could not be loaded, with no word of what the files hold but names of profiles.
func (f sharedFiles) unloaded(name string, err error) *Error {
	e := &Error{
		Reason: "no_credentials", Err: err,
		Message: fmt.Sprintf("profile %q cannot be used as it stands in the AWS config files: half a key, two kinds of source, or an sso_session that does not exist", name),
	}
	var source config.SharedConfigAssumeRoleError
	var missing config.SharedConfigProfileNotExistError
	var role config.CredentialRequiresARNError
	var unread *Error
	switch {
	case errors.As(err, &unread):
		return unread
	case errors.As(err, &source) && source.Err != nil:
		e.Reason, e.Message = "no_profile", fmt.Sprintf("profile %q: %s", name, f.noSuch("source profile", source.Profile))
	case errors.As(err, &source):
		// The SDK knows no source profile that is one of "aws login".
		e.Message = fmt.Sprintf("profile %q: its source profile %q has no credentials that another profile can use", name, source.Profile)
	case errors.As(err, &missing):
		e.Reason, e.Message, e.Action = "no_profile", f.noSuch("profile", name), "aws configure --profile "+name
	case errors.As(err, &role):
		e.Message = fmt.Sprintf("profile %q: %s needs role_arn", role.Profile, role.Type)
	}
	return e
}

// noSuch says that a profile does not exist, and which one may be meant.
func (f sharedFiles) noSuch(what, name string) string {
	message := fmt.Sprintf("no such %s %q in ~/.aws/config or ~/.aws/credentials", what, name)
	if like := nearest(name, f.profiles()); like != "" {
		message += fmt.Sprintf("; did you mean %q?", like)
	}
	return message
}

// profiles are the names of the profiles, found by their [brackets] alone: this is for a hint.
func (f sharedFiles) profiles() []string {
	var names []string
	for _, path := range []string{f.config, f.credentials} {
		text, err := readFile(path)
		if err != nil {
			continue // no hint then
		}
		for line := range strings.Lines(string(text)) {
			section, _, closed := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "["), "]")
			kind, name, two := strings.Cut(section, " ")
			switch {
			case !closed || !strings.HasPrefix(strings.TrimSpace(line), "["):
			case two && kind == "profile":
				names = append(names, strings.TrimSpace(name))
			case !two:
				names = append(names, section)
			}
		}
	}
	return names
}
