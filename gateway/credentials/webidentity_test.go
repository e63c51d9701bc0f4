package credentials

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"signet/gateway/sandbox"
)

func TestWebIdentityAssumesTheRoleWithTheTokenOfNow(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	role, token := cloud.Identity("pod").RoleARN, filepath.Join(t.TempDir(), "token")
	home(t, "[profile web]\nrole_arn = "+role+"\nweb_identity_token_file = "+token+"\nregion = eu-west-1\n", "")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	save(t, token, cloud.WebToken("pod"))
	web := newCache(t, NewProfile(ProfileOptions{Profile: "web", SessionName: "signet-web", HTTPClient: loopback(t)}), Options{})
	first, _, err := get(web)
	if err != nil || web.State().Role != role || web.State().Via != "web identity "+role {
		t.Fatalf("%+v, %v", web.State(), err)
	}
	save(t, token, cloud.WebTokenFor("pod", 2*time.Hour)) // as Kubernetes rotates it
	web.Recheck()
	awaitGeneration(t, web, first.Seq+1)
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", role)
	if _, err := fetch(t, ProfileOptions{Region: "eu-west-1", SessionName: "signet-env"}); err != nil {
		t.Errorf("of the environment: %v", err)
	}
	t.Setenv("AWS_ROLE_SESSION_NAME", "mine")
	if _, err := fetch(t, ProfileOptions{Region: "eu-west-1", SessionName: "signet-env"}); err != nil {
		t.Errorf("of the environment, with a name: %v", err)
	}
	var names []string
	for _, a := range sts.Granted() {
		names = append(names, a.SessionName)
		if !a.WebIdentity {
			t.Errorf("%+v", a)
		}
	}
	if got := strings.Join(names, " "); got != "signet-web signet-web signet-env mine" {
		t.Errorf("sessions: %s; the SDK makes a new name for each", got)
	}
}

func TestATokenThatSTSDoesNotKnowIsRefusedByItsCode(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	token := filepath.Join(t.TempDir(), "token")
	home(t, "[profile web]\nrole_arn = "+cloud.Identity("pod").RoleARN+"\nweb_identity_token_file = "+token+"\nregion = eu-west-1\n", "")
	t.Setenv("AWS_ENDPOINT_URL_STS", cloud.STS(sandbox.STSOptions{}).URL())
	save(t, token, "SECRET.CANARY.TOKEN")
	if e := refused(t, ProfileOptions{Profile: "web"}); e.Reason != "no_credentials" || !strings.Contains(e.Message, "(InvalidIdentityToken)") || strings.Contains(e.Message, "CANARY") {
		t.Errorf("%+v", e)
	}
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	if e := refused(t, ProfileOptions{Region: "eu-west-1"}); !strings.Contains(e.Message, "has a web identity token file but no role_arn") {
		t.Errorf("%+v", e)
	}
}

func TestARoutesRoleIsAssumedOnTopOfTheProfile(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	sts := cloud.STS(sandbox.STSOptions{})
	cloud.RequireExternalID("target", "ext")
	base := cloud.IssueStatic("base")
	home(t, "[profile inner]\nrole_arn = "+cloud.Identity("inner").RoleARN+"\nsource_profile = base\n",
		"[base]\naws_access_key_id = "+base.AccessKeyID+"\naws_secret_access_key = "+base.SecretAccessKey+"\n")
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL())
	role := Role{ARN: cloud.Identity("target").RoleARN, ExternalID: "ext", Duration: 2 * roleDuration, Tags: map[string]string{"team": "platform", "env": "dev"}}
	f, err := fetch(t, ProfileOptions{Profile: "base", Region: "eu-west-1", SessionName: "signet-docs", Assume: role})
	if err != nil || f.Role != role.ARN || f.Via != "keys, then role "+role.ARN {
		t.Fatalf("%+v, %v", f, err)
	}
	if e := refused(t, ProfileOptions{Profile: "inner", Region: "eu-west-1", Assume: role}); !strings.Contains(e.Message, "set assume_role.duration to 1h") {
		t.Errorf("a long session on top of a role: %+v", e)
	}
	role.Duration, role.SessionName = 0, "me"
	if _, err := fetch(t, ProfileOptions{Profile: "inner", Region: "eu-west-1", Assume: role}); err != nil {
		t.Errorf("on top of a role: %v", err)
	}
	granted := sts.Granted()
	want := sandbox.Assumption{RoleARN: role.ARN, SessionName: "signet-docs", ExternalID: "ext", Duration: 2 * roleDuration, Caller: "base", Tags: "env=dev,team=platform"}
	if granted[0] != want {
		t.Errorf("%+v, want %+v", granted[0], want)
	}
	if last := granted[len(granted)-1]; last.SessionName != "me" || last.Caller != "inner" || last.Duration != roleDuration {
		t.Errorf("%+v", last)
	}
	role.ExternalID = ""
	if e := refused(t, ProfileOptions{Profile: "base", Region: "eu-west-1", Assume: role}); !strings.Contains(e.Message, "STS refused to assume "+role.ARN+" (AccessDenied)") {
		t.Errorf("%+v", e)
	}
}
