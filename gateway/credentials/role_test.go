package credentials

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"signet/gateway/sandbox"
)

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

// answers is an STS that gives every request the same answer. It returns what was asked.
func answers(t *testing.T, status int, body string) <-chan url.Values {
	t.Helper()
	asked := make(chan url.Values, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked <- r.PostForm
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	return asked
}

const granted = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
	`<AccessKeyId>ASIAGRANTED1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>` +
	`<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

// roleOf is a config file with a role that has base as its source, and what else the profile says.
func roleOf(t *testing.T, more string) {
	t.Helper()
	home(t, "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"+more,
		"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = SECRET-CANARY\n")
}

func TestPitfall20_ARoleIsAskedForAnHourUnderANameThatStays(t *testing.T) {
	for more, want := range map[string][3]string{
		"":                         {"3600", "signet-docs", ""},
		"duration_seconds = 900\n": {"900", "signet-docs", ""},
		"role_session_name = me\nexternal_id = x\n": {"3600", "me", "x"},
	} {
		roleOf(t, more)
		asked := answers(t, 200, granted)
		for range 2 {
			f, err := fetch(t, ProfileOptions{Profile: "r", Region: "eu-west-1", SessionName: "signet-docs"})
			if err != nil || f.Credentials.AccessKeyID != "ASIAGRANTED1" || f.Role != "arn:aws:iam::123456789012:role/r" {
				t.Fatalf("%q: %+v, %v", more, f, err)
			}
			form := <-asked
			if got := [3]string{form.Get("DurationSeconds"), form.Get("RoleSessionName"), form.Get("ExternalId")}; got != want {
				t.Errorf("%q: %v, want %v", more, got, want)
			}
		}
	}
	roleOf(t, "")
	asked := answers(t, 200, granted)
	if _, err := fetch(t, ProfileOptions{Profile: "r", Region: "eu-west-1"}); err != nil {
		t.Fatal(err)
	}
	if name := (<-asked).Get("RoleSessionName"); name != "signet" {
		t.Errorf("without a name it is %q", name)
	}
}

func TestSTSThatCannotServeIsNoRefusal(t *testing.T) {
	failure := func(code string) string {
		return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>SECRET-CANARY</Message></Error></ErrorResponse>"
	}
	for name, test := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"unavailable":    {503, failure("ServiceUnavailable"), "sts_unreachable: STS cannot serve now (ServiceUnavailable)"},
		"throttled":      {400, failure("Throttling"), "sts_unreachable: STS cannot serve now (Throttling)"},
		"too many":       {429, failure("TooManyRequests"), "sts_unreachable: STS cannot serve now (TooManyRequests)"},
		"denied":         {403, failure("AccessDenied"), "no_credentials: STS refused to assume arn:aws:iam::123456789012:role/r (AccessDenied)"},
		"expired":        {403, failure("ExpiredToken"), "no_credentials: STS refused to assume arn:aws:iam::123456789012:role/r (ExpiredToken)"},
		"no code":        {403, failure("SECRET CANARY"), "no_credentials: STS refused to assume arn:aws:iam::123456789012:role/r (with no known code)"},
		"a long code":    {403, failure(strings.Repeat("x", 1000)), "no_credentials: STS refused to assume arn:aws:iam::123456789012:role/r (with no known code)"},
		"a web page":     {200, "<html>SECRET-CANARY", "sts_unreachable: STS could not be reached"},
		"an expired one": {200, strings.Replace(granted, "2999", "1999", 1), "no_credentials: the credentials have expired already; is this machine's clock right?"},
	} {
		t.Run(name, func(t *testing.T) {
			roleOf(t, "")
			asked := answers(t, test.status, test.body)
			e := refused(t, ProfileOptions{Profile: "r", Region: "eu-west-1"})
			if got := e.Reason + ": " + strings.TrimPrefix(e.Message, `profile "r": `); got != test.want || len(asked) != 1 {
				t.Errorf("%s, want %s; asked %d times", got, test.want, len(asked))
			}
			if strings.Contains(e.Message, "CANARY") {
				t.Error("it quotes STS")
			}
		})
	}
}

func TestTheProfilesRegionIsWhereSTSIsAsked(t *testing.T) {
	for name, test := range map[string]struct{ profile, route, environment, want string }{
		"the profile's":     {"region = eu-west-1\n", "us-west-2", "us-east-1", "sts.eu-west-1.amazonaws.com"},
		"the route's":       {"", "us-west-2", "us-east-1", "sts.us-west-2.amazonaws.com"},
		"the environment's": {"", "", "us-east-1", "sts.us-east-1.amazonaws.com"},
		"China's":           {"region = cn-north-1\n", "", "", "sts.cn-north-1.amazonaws.com.cn"},
		"its endpoint":      {"region = eu-west-1\nendpoint_url = http://sts.test\n", "", "", "sts.test"},
		"its service's":     {"region = eu-west-1\nservices = s\n[services s]\nsts =\n  endpoint_url = http://one.test\n", "", "", "one.test"},
		"none of its own":   {"region = eu-west-1\nendpoint_url = http://sts.test\nignore_configured_endpoint_urls = true\n", "", "", "sts.eu-west-1.amazonaws.com"},
	} {
		t.Run(name, func(t *testing.T) {
			roleOf(t, test.profile)
			t.Setenv("AWS_REGION", test.environment)
			var hosts []string
			client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				hosts = append(hosts, r.URL.Host)
				return nil, errors.New("no network in this test")
			})}
			refused(t, ProfileOptions{Profile: "r", Region: test.route, HTTPClient: client})
			if len(hosts) != 1 || hosts[0] != test.want {
				t.Errorf("asked %v, want %s once", hosts, test.want)
			}
		})
	}
}

func TestTheEnvironmentsEndpointIsWhereSTSIsAsked(t *testing.T) {
	for variable, want := range map[string]string{"AWS_ENDPOINT_URL": "all.test", "AWS_ENDPOINT_URL_STS": "sts.test"} {
		t.Run(variable, func(t *testing.T) {
			roleOf(t, "region = eu-west-1\nendpoint_url = http://profile.test\n")
			t.Setenv(variable, "http://"+want)
			var host string
			client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
				host = r.URL.Host
				return nil, errors.New("no network in this test")
			})}
			refused(t, ProfileOptions{Profile: "r", HTTPClient: client})
			if host != want {
				t.Errorf("asked %s, want %s", host, want)
			}
		})
	}
}

func TestFault_C01_STSThatIsSilentIsGivenUpAfterTenSeconds(t *testing.T) {
	roleOf(t, "region = eu-west-1\n")
	synctest.Test(t, func(t *testing.T) {
		silent := true
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if silent {
				silent = false
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(granted)), Request: r}, nil
		})}
		c := newCache(t, NewProfile(ProfileOptions{Profile: "r", HTTPClient: client}), Options{Wait: 4 * time.Second})
		_, took, err := get(c)
		if took != 4*time.Second || err == nil || err.Error() != `profile "r": STS has not answered for 4s` {
			t.Errorf("a call that waited %s: %v", took, err)
		}
		<-time.After(6 * time.Second)
		synctest.Wait()
		if last := c.State().LastRefresh; last == nil || last.Error != "sts_unreachable" || last.Took != 10*time.Second {
			t.Errorf("%+v", last)
		}
		<-time.After(time.Second)
		if _, _, err := get(c); err != nil {
			t.Errorf("the next try: %v", err)
		}
		if s := c.State(); s.Source != `profile "r"` || s.Via != "role chain arn:aws:iam::123456789012:role/r" || s.Account != "123456789012" || s.Role != "arn:aws:iam::123456789012:role/r" || s.KeyID != "ASIA…TED1" {
			t.Errorf("%+v", s)
		}
	})
}

func TestAProfileMayBeItsOwnSource(t *testing.T) {
	home(t, "[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = r\nregion = eu-west-1\n",
		"[r]\naws_access_key_id = AKIAOWN\naws_secret_access_key = s\n")
	asked := answers(t, 200, granted)
	if f, err := fetch(t, ProfileOptions{Profile: "r"}); err != nil || f.Via != "role chain arn:aws:iam::1:role/r" || len(asked) != 1 {
		t.Errorf("%+v, %v, asked %d times", f, err, len(asked))
	}
}

// The SDK takes a profile's own keys before its source_profile, and then assumes its role with them.
func TestASourceProfileWithKeysAndARoleIsBoth(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	b, c := cloud.IssueStatic("b-keys"), cloud.IssueStatic("c-keys")
	keys := func(name string, k sandbox.Credentials) string {
		return "[" + name + "]\naws_access_key_id = " + k.AccessKeyID + "\naws_secret_access_key = " + k.SecretAccessKey + "\n"
	}
	home(t, "[profile a]\nrole_arn = "+cloud.Identity("a").RoleARN+"\nsource_profile = b\nregion = eu-west-1\n"+
		"[profile b]\nrole_arn = "+cloud.Identity("b").RoleARN+"\nsource_profile = c\n", keys("b", b)+keys("c", c))
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	if _, err := fetch(t, ProfileOptions{Profile: "a"}); err != nil {
		t.Fatal(err)
	}
	granted := sts.Granted()
	if len(granted) != 2 || granted[0].Caller != "b-keys" || granted[0].RoleARN != cloud.Identity("b").RoleARN || granted[1].Caller != "b" {
		t.Errorf("%+v", granted)
	}
}
