package credentials

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"signet/gateway/sandbox"
)

func TestAContainerGivesCredentialsToWhoNamesNoProfile(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	home(t, "[profile ecs]\nrole_arn = "+cloud.Identity("role").RoleARN+"\ncredential_source = EcsContainer\nregion = eu-west-1\n", "")
	container := cloud.Container(sandbox.ContainerOptions{Identity: "task", Token: "one"})
	token := filepath.Join(t.TempDir(), "token")
	save(t, token, "one")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.URL()+"/v2/credentials")
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)
	t.Setenv("AWS_ENDPOINT_URL_STS", cloud.STS(sandbox.STSOptions{}).URL())
	c := newCache(t, NewProfile(ProfileOptions{HTTPClient: loopback(t)}), Options{})
	g, _, err := get(c)
	if err != nil || c.State().Via != "container" {
		t.Fatalf("%+v, %v", c.State(), err)
	}
	container.SetToken("two")
	save(t, token, "two") // as EKS rotates it
	c.Invalidate(g)
	if next, _, err := get(c); err != nil || next.Credentials.AccessKeyID == g.Credentials.AccessKeyID {
		t.Errorf("with a rotated token: %+v, %v", next, err)
	}
	if f, err := fetch(t, ProfileOptions{Profile: "ecs"}); err != nil || f.Role != cloud.Identity("role").RoleARN {
		t.Errorf("as credential_source: %+v, %v", f, err)
	}
	save(t, token, "three")
	if e := refused(t, ProfileOptions{}); e.Reason != "no_credentials" || !strings.Contains(e.Message, "the container's endpoint gives no credentials") {
		t.Errorf("with a wrong token: %+v", e)
	}
	t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere")
	if e := refused(t, ProfileOptions{}); !strings.Contains(e.Message, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read") {
		t.Errorf("without a token: %+v", e)
	}
}

func TestOnlyAContainersOwnAddressesAreSentTheTokenInTheClear(t *testing.T) {
	for uri, want := range map[string]bool{
		"https://anywhere.example/x": true, "http://127.0.0.1:1/x": true, "http://[::1]/x": true, "http://localhost/x": true,
		"http://169.254.170.2/x": true, "http://169.254.170.23/x": true, "http://[fd00:ec2::23]/x": true,
		"http://169.254.169.254/x": false, "http://192.0.2.1/x": false, "ftp://127.0.0.1/x": false, "http:///x": false, "%": false, "": false,
	} {
		if got := mayHoldSecrets(t.Context(), uri); got != want {
			t.Errorf("%s: %v", uri, got)
		}
	}
}

func TestTheInstanceIsAskedOnlyByWhoSaysSo(t *testing.T) {
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	home(t, "[profile named]\nrole_arn = "+cloud.Identity("role").RoleARN+"\ncredential_source = Ec2InstanceMetadata\nregion = eu-west-1\n[profile empty]\nregion = eu-west-1\n", "")
	imds := cloud.IMDS(sandbox.IMDSOptions{Identity: "instance"})
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.URL())
	t.Setenv("AWS_ENDPOINT_URL_STS", cloud.STS(sandbox.STSOptions{}).URL())
	for _, o := range []ProfileOptions{{}, {Profile: "empty"}, {Profile: "missing"}} {
		refused(t, o)
	}
	if n := imds.Requests(); n != 0 {
		t.Fatalf("the instance was asked %d times by routes that did not say so", n)
	}
	for _, o := range []ProfileOptions{{InstanceMetadata: true}, {Profile: "empty", InstanceMetadata: true}, {Profile: "named"}} {
		before := imds.Requests()
		f, err := fetch(t, o)
		if err != nil || !f.Credentials.CanExpire || imds.Requests() == before {
			t.Errorf("%+v: %+v, %v", o, f, err)
		}
	}
	if e := refused(t, ProfileOptions{Profile: "missing", InstanceMetadata: true}); e.Reason != "no_profile" {
		t.Errorf("a misspelt profile fell through to the instance: %+v", e)
	}
}

func TestFault_C12_WithoutAnySourceNothingIsAsked(t *testing.T) {
	home(t, "", "")
	var asked atomic.Int64
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		return nil, errors.New("no network in this test")
	})}
	e := refused(t, ProfileOptions{HTTPClient: client})
	if e.Reason != "no_credentials" || !e.Absent || e.Action != "aws configure" || asked.Load() != 0 {
		t.Errorf("%+v, asked %d times", e, asked.Load())
	}
	if e := refused(t, ProfileOptions{InstanceMetadata: true, HTTPClient: client}); e.Reason != "no_credentials" || !strings.Contains(e.Message, "the instance's metadata could not be reached") {
		t.Errorf("no instance: %+v", e)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	asked.Store(0)
	if e := refused(t, ProfileOptions{InstanceMetadata: true, HTTPClient: client}); e.Reason != "no_credentials" || asked.Load() != 0 {
		t.Errorf("AWS_EC2_METADATA_DISABLED: %+v, asked %d times", e, asked.Load())
	}
}
