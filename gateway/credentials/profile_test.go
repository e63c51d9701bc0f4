package credentials

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signet/gateway/sandbox"
)

// home gives the test AWS files of its own and an environment without AWS settings.
func home(t *testing.T, config, keys string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config": config, "credentials": keys} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		t.Setenv(name, value)
	}
}

func fetch(t *testing.T, o ProfileOptions) (Fetched, error) {
	t.Helper()
	return NewProfile(o).Fetch(t.Context())
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

func TestANamedProfileWinsOverKeysOfTheEnvironment(t *testing.T) {
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

func TestProfilesThatCannotServeSayWhy(t *testing.T) {
	home(t, `[profile mfa]
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
[profile instance]
role_arn = arn:aws:iam::1:role/r
credential_source = Ec2InstanceMetadata
region = eu-west-1
[profile empty]
region = eu-west-1
[profile nowhere]
role_arn = arn:aws:iam::1:role/r
source_profile = base
[profile half]
aws_access_key_id = ASIAHALF
aws_secret_access_key = s
`, "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n")
	for name, want := range map[string][2]string{
		"mfa":      {"mfa", "wants an MFA code"},
		"sso":      {"no_credentials", "SSO is not supported yet"},
		"web":      {"no_credentials", "web identity is not supported yet"},
		"instance": {"no_credentials", "credential_source is not supported yet"},
		"empty":    {"no_credentials", "names no source of credentials"},
		"nowhere":  {"no_credentials", "set region in the profile or on the route"},
		"half":     {"no_credentials", "temporary but has no session token"},
		"missing":  {"no_profile", `no such profile "missing"`},
	} {
		_, err := fetch(t, ProfileOptions{Profile: name})
		var known *Error
		if !errors.As(err, &known) || known.Reason != want[0] || !strings.Contains(known.Message, want[1]) {
			t.Errorf("%s: %+v, want %v", name, err, want)
		}
	}
	_, err := fetch(t, ProfileOptions{})
	var known *Error
	if !errors.As(err, &known) || known.Reason != "no_credentials" || !strings.Contains(known.Message, "looked in the environment, ~/.aws/config, ~/.aws/credentials") {
		t.Errorf("nothing anywhere: %v", err)
	}
}

func TestRoleChainsAskSTSHopByHop(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	base := cloud.IssueStatic("base")
	home(t, `[profile inner]
role_arn = `+cloud.Identity("inner").RoleARN+`
source_profile = base
external_id = ext
duration_seconds = 900
role_session_name = mine
[profile outer]
role_arn = `+cloud.Identity("outer").RoleARN+`
source_profile = inner
`, "[base]\naws_access_key_id = "+base.AccessKeyID+"\naws_secret_access_key = "+base.SecretAccessKey+"\n")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	o := ProfileOptions{Profile: "outer", Region: "eu-west-1", SessionName: "signet-r"}
	f, err := fetch(t, o)
	if err != nil || !f.Credentials.CanExpire || f.Region != "" {
		t.Fatalf("%+v, %v", f, err)
	}
	if _, err := fetch(t, o); err != nil {
		t.Fatal(err)
	}
	want := []sandbox.Assumption{
		{RoleARN: cloud.Identity("inner").RoleARN, SessionName: "mine", ExternalID: "ext", Duration: 15 * time.Minute, Caller: "base"},
		{RoleARN: cloud.Identity("outer").RoleARN, SessionName: "signet-r", Duration: time.Hour, Caller: "inner"},
	}
	got := sts.Granted()
	for i, a := range got {
		if a != want[i%2] {
			t.Errorf("assumption %d: %+v, want %+v", i, a, want[i%2])
		}
	}
	if len(got) != 4 {
		t.Errorf("%d assumptions for two fetches of two hops", len(got))
	}
}

func TestSTSThatRefusesOrIsNotThereIsToldApart(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	base := cloud.IssueStatic("base")
	home(t, "[profile r]\nrole_arn = arn:aws:iam::1:role/none\nsource_profile = base\nregion = eu-west-1\n",
		"[base]\naws_access_key_id = "+base.AccessKeyID+"\naws_secret_access_key = "+base.SecretAccessKey+"\n")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	reason := func() (string, string) {
		_, err := fetch(t, ProfileOptions{Profile: "r"})
		var known *Error
		if !errors.As(err, &known) {
			t.Fatalf("%v", err)
		}
		return known.Reason, known.Message
	}
	if reason, message := reason(); reason != "no_credentials" || !strings.HasSuffix(message, "STS refused to assume arn:aws:iam::1:role/none (AccessDenied)") {
		t.Errorf("%s: %s", reason, message)
	}
	if sts.Asked() != 1 {
		t.Errorf("STS was asked %d times in one fetch", sts.Asked())
	}
	cloud.Close()
	if reason, message := reason(); reason != "sts_unreachable" || strings.Contains(message, "127.0.0.1") {
		t.Errorf("%s: %s", reason, message)
	}
}

func TestSTSIsAskedWithTheGivenClient(t *testing.T) {
	home(t, "[profile r]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = base\nregion = eu-west-1\n",
		"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n")
	asked := make(chan string, 1)
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		asked <- r.URL.Host
		return nil, errors.New("no network in this test")
	})}
	if _, err := fetch(t, ProfileOptions{Profile: "r", HTTPClient: client}); err == nil {
		t.Error("it was answered")
	}
	if host := <-asked; host != "sts.eu-west-1.amazonaws.com" {
		t.Errorf("asked %s", host)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestProfileSaysWhereCredentialsComeFrom(t *testing.T) {
	for name, want := range map[string]string{"dev": `profile "dev"`, "": "environment or default profile"} {
		c := New(NewProfile(ProfileOptions{Profile: name}), Options{})
		if got := c.State().Source; got != want {
			t.Errorf("%q: %s", name, got)
		}
		c.Close()
	}
}
