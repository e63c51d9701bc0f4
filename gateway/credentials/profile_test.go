package credentials

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// home gives the test AWS files of its own and an environment without AWS settings.
func home(t *testing.T, config, keys string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config": config, "credentials": keys} {
		save(t, filepath.Join(dir, name), text)
	}
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // so that it comes back
			_ = os.Unsetenv(name)
		}
	}
	t.Setenv("HOME", dir)
	t.Setenv("USERPROFILE", dir)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
}

// save writes a file that has been left alone since.
func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
}

// fetch fetches once, with a client that reaches loopback alone.
func fetch(t *testing.T, o ProfileOptions) (Fetched, error) {
	t.Helper()
	if o.HTTPClient == nil {
		o.HTTPClient = loopback(t)
	}
	return NewProfile(o).Fetch(t.Context())
}

// loopback is a client that fails the test when it is to leave this machine.
func loopback(t *testing.T) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			t.Errorf("%s was to be dialled", address)
			return nil, errors.New("not loopback")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

// refused fetches what cannot be had.
func refused(t *testing.T, o ProfileOptions) *Error {
	t.Helper()
	f, err := fetch(t, o)
	var known *Error
	if !errors.As(err, &known) || f.Credentials.HasKeys() {
		t.Fatalf("%+v, %v", f, err)
	}
	return known
}

func TestProfileOfStaticKeysIsReadAnewEachTime(t *testing.T) {
	home(t, "[profile dev]\nregion = eu-west-1\n", "[dev]\naws_access_key_id = AKIAONE\naws_secret_access_key = s1\n")
	p := NewProfile(ProfileOptions{Profile: "dev"})
	if f, err := p.Fetch(t.Context()); err != nil || f.Credentials.AccessKeyID != "AKIAONE" || f.Region != "eu-west-1" {
		t.Errorf("%+v, %v", f, err)
	}
	if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte("[dev]\naws_access_key_id = AKIATWO\naws_secret_access_key = s2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := p.Fetch(t.Context()); err != nil || f.Credentials.AccessKeyID != "AKIATWO" {
		t.Errorf("after a rotation: %+v, %v", f, err)
	}
}

func TestPitfall13_ANamedProfileWinsOverKeysOfTheEnvironment(t *testing.T) {
	home(t, "", "[dev]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n")
	t.Setenv("AWS_REGION", "us-west-2")
	if f, err := fetch(t, ProfileOptions{}); err != nil || f.Credentials.AccessKeyID != "AKIADEFAULT" {
		t.Errorf("nothing set: %+v, %v", f, err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	t.Setenv("AWS_PROFILE", "dev")
	if f, err := fetch(t, ProfileOptions{Profile: "dev"}); err != nil || f.Credentials.AccessKeyID != "AKIAPROFILE" {
		t.Errorf("named: %+v, %v", f, err)
	}
	if f, err := fetch(t, ProfileOptions{}); err != nil || f.Credentials.AccessKeyID != "AKIAENV" || f.Region != "us-west-2" {
		t.Errorf("not named: %+v, %v", f, err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if f, err := fetch(t, ProfileOptions{}); err != nil || f.Credentials.AccessKeyID != "AKIAPROFILE" {
		t.Errorf("AWS_PROFILE: %+v, %v", f, err)
	}
}

const cannotServe = `[profile mfa]
role_arn = arn:aws:iam::1:role/r
source_profile = base
mfa_serial = arn:aws:iam::1:mfa/me
region = eu-west-1
[profile sso]
sso_session = corp
sso_account_id = 1
sso_role_name = r
[sso-session corp]
sso_start_url = https://x.example
sso_region = eu-west-1
[profile web]
role_arn = arn:aws:iam::1:role/r
web_identity_token_file = /nowhere
region = eu-west-1
[profile container]
role_arn = arn:aws:iam::1:role/r
credential_source = EcsContainer
region = eu-west-1
[profile keyless]
role_arn = arn:aws:iam::1:role/r
credential_source = Environment
region = eu-west-1
[profile sourced]
role_arn = arn:aws:iam::1:role/r
credential_source = Ec2
region = eu-west-1
[profile halflegacy]
sso_start_url = https://x.example
[profile empty]
region = eu-west-1
[profile nowhere]
role_arn = arn:aws:iam::1:role/r
source_profile = base
[profile legacy]
sso_start_url = https://x.example
sso_region = eu-west-1
sso_account_id = 1
sso_role_name = r
credential_process = echo
[profile login]
login_session = arn:aws:iam::1:user/me
region = eu-west-1
[profile alone]
role_arn = arn:aws:iam::1:role/r
region = eu-west-1
[profile own]
role_arn = arn:aws:iam::1:role/r
aws_access_key_id = AKIAOWN
aws_secret_access_key = s
[profile sourceless]
source_profile = base
[profile orphan]
role_arn = arn:aws:iam::1:role/r
source_profile = bas
[profile fromlogin]
role_arn = arn:aws:iam::1:role/r
source_profile = login
[profile outer]
role_arn = arn:aws:iam::1:role/o
source_profile = mfa
region = eu-west-1
[profile cut]
aws_access_key_id = AKIACUT
aws_secret_acc
[profile half]
aws_access_key_id = ASIAHALF
aws_secret_access_key = s
`

func TestProfilesThatCannotServeSayWhy(t *testing.T) {
	home(t, cannotServe, "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n")
	for name, want := range map[string][2]string{
		"mfa":        {"mfa", "wants an MFA code"},
		"sso":        {"sso_expired", `SSO session "corp" expired`},
		"web":        {"no_credentials", "the web identity token file cannot be read"},
		"container":  {"no_credentials", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set"},
		"sourced":    {"no_credentials", "credential_source is Environment, Ec2InstanceMetadata or EcsContainer"},
		"keyless":    {"no_credentials", `profile "keyless": the environment: there is no key`},
		"empty":      {"no_credentials", "names no source of credentials"},
		"nowhere":    {"no_credentials", "set region in the profile or on the route"},
		"half":       {"no_credentials", "temporary but has no session token"},
		"legacy":     {"sso_expired", `the SSO session of profile "legacy" expired`},
		"halflegacy": {"no_credentials", "SSO needs sso_start_url, sso_region, sso_account_id and sso_role_name"},
		"login":      {"login_expired", `the login of profile "login" expired`},
		"alone":      {"no_credentials", `profile "alone" has role_arn but no source_profile`},
		"own":        {"no_credentials", `profile "own": no region to ask STS in`},
		"outer":      {"mfa", `profile "mfa" wants an MFA code`},
		"cut":        {"no_credentials", `profile "cut" cannot be used as it stands in the AWS config files: half a key`},
		"missing":    {"no_profile", `no such profile "missing" in ~/.aws/config or ~/.aws/credentials`},
		"sourceless": {"no_credentials", `profile "sourceless": source_profile needs role_arn`},
		"orphan":     {"no_profile", `profile "orphan": no such source profile "bas" in ~/.aws/config or ~/.aws/credentials; did you mean "base"?`},
		"fromlogin":  {"no_credentials", `its source profile "login" has no credentials that another profile can use`},
		"containe":   {"no_profile", `did you mean "container"?`},
	} {
		if e := refused(t, ProfileOptions{Profile: name}); e.Reason != want[0] || !strings.Contains(e.Message, want[1]) {
			t.Errorf("%s: %s: %s, want %v", name, e.Reason, e.Message, want)
		}
	}
}

func TestProfileSaysWhereCredentialsComeFrom(t *testing.T) {
	for name, want := range map[string]string{"dev": `profile "dev"`, "": "environment or default profile"} {
		c := New(NewProfile(ProfileOptions{Profile: name}), Options{})
		if got := c.State().Source; got != want {
			t.Errorf("%q: %s", name, got)
		}
		c.Close()
	}
}

func TestWithoutAProfileTheEnvironmentIsTold(t *testing.T) {
	set := func(variable, value string) func(*testing.T) { return func(t *testing.T) { t.Setenv(variable, value) } }
	for name, test := range map[string]struct {
		config string
		set    func(*testing.T)
		want   [2]string
	}{
		"nothing":      {"", set("AWS_REGION", "eu-west-1"), [2]string{"no_credentials", "looked in the environment, ~/.aws/config, ~/.aws/credentials"}},
		"a region":     {"[default]\nregion = eu-west-1\n", set("AWS_REGION", ""), [2]string{"no_credentials", `profile "default": it names no source`}},
		"AWS_PROFILE":  {"[profile dev]\n", set("AWS_PROFILE", "dew"), [2]string{"no_profile", `no such profile "dew" in ~/.aws/config or ~/.aws/credentials; did you mean "dev"?`}},
		"EKS":          {"[default]\n", set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x"), [2]string{"no_credentials", "the container's endpoint could not be reached"}},
		"elsewhere":    {"", set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x"), [2]string{"no_credentials", "neither https nor on this machine"}},
		"web identity": {"[default]\n", set("AWS_WEB_IDENTITY_TOKEN_FILE", "/x"), [2]string{"no_credentials", "no region to ask STS in"}},
		"half a key":   {"", set("AWS_ACCESS_KEY_ID", "AKIAHALF"), [2]string{"no_credentials", "no AWS credentials"}},
		"a bad value":  {"", set("AWS_MAX_ATTEMPTS", "SECRET-CANARY"), [2]string{"no_credentials", "an AWS_* variable has a bad value"}},
	} {
		t.Run(name, func(t *testing.T) {
			home(t, test.config, "")
			test.set(t)
			if e := refused(t, ProfileOptions{}); e.Reason != test.want[0] || !strings.Contains(e.Message, test.want[1]) {
				t.Errorf("%s: %s, want %v", e.Reason, e.Message, test.want)
			}
		})
	}
}

func TestFault_C12_Pitfall12_ANamedProfileNeverFallsThroughToTheMachine(t *testing.T) {
	for name, text := range map[string]string{
		"without keys": "[p]\nregion = eu-west-1\n", "half written": "[p]\naws_access_key_id = AKIA", "cut short": "[p", "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			home(t, "", text)
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x")
			t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/x")
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
			client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				t.Errorf("%s was asked", r.URL.Host)
				return nil, errors.New("no")
			})}
			if e := refused(t, ProfileOptions{Profile: "p", HTTPClient: client}); strings.Contains(e.Message, "not supported yet") {
				t.Error(e.Message)
			}
		})
	}
}

func TestFilesAreThoseOfTheHomeDirectoryOfNow(t *testing.T) {
	home(t, "", "")
	t.Setenv("AWS_CONFIG_FILE", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("USERPROFILE", os.Getenv("HOME"))
	if err := os.Mkdir(filepath.Join(os.Getenv("HOME"), ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "[dev]\naws_access_key_id = AKIAHOME\naws_secret_access_key = s\n"
	if err := os.WriteFile(filepath.Join(os.Getenv("HOME"), ".aws", "credentials"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := fetch(t, ProfileOptions{Profile: "dev"}); err != nil || f.Credentials.AccessKeyID != "AKIAHOME" {
		t.Errorf("%+v, %v", f, err)
	}
}
