package sandbox

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const metadataRoles = "/latest/meta-data/iam/security-credentials/"

// metadataToken asks an IMDS for a token.
func metadataToken(t *testing.T, url, seconds string) string {
	t.Helper()
	status, header, token := ask(t, url+"/latest/api/token", "PUT", "", "x-aws-ec2-metadata-token-ttl-seconds", seconds)
	if status != 200 || token == "" || header.Get("x-aws-ec2-metadata-token-ttl-seconds") != seconds {
		t.Fatalf("%d %v %s", status, header, token)
	}
	return token
}

func newIMDS(t *testing.T, o IMDSOptions) (*Sandbox, *IMDS) {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	return s, s.IMDS(o)
}

func TestAnInstanceHasItsRolesCredentials(t *testing.T) {
	s, imds := newIMDS(t, IMDSOptions{Identity: "box", Life: time.Minute})
	token := metadataToken(t, imds.URL(), "60")
	for _, path := range []string{metadataRoles, strings.TrimSuffix(metadataRoles, "/")} {
		if status, _, role := ask(t, imds.URL()+path, "GET", "", "x-aws-ec2-metadata-token", token); status != 200 || role != "box" {
			t.Errorf("%d %s", status, role)
		}
	}
	status, _, text := ask(t, imds.URL()+metadataRoles+"box", "GET", "", "x-aws-ec2-metadata-token", token)
	var out struct {
		Code, Type                          string
		AccessKeyId, SecretAccessKey, Token string
		LastUpdated, Expiration             time.Time
	}
	parse(t, text, &out)
	if status != 200 || out.Code != "Success" || out.Type != "AWS-HMAC" || out.LastUpdated.After(time.Now()) {
		t.Errorf("%d %+v", status, out)
	}
	set := registered(t, s, "box", out.AccessKeyId, out.SecretAccessKey, out.Token)
	if left := time.Until(out.Expiration); left > time.Minute || left < 50*time.Second || !out.Expiration.Equal(set.Expires) {
		t.Errorf("they expire in %s", left)
	}
	if imds.Requests() != 4 {
		t.Errorf("%d requests", imds.Requests())
	}
}

func TestAnIMDSIsReadWithATokenAlone(t *testing.T) {
	_, imds := newIMDS(t, IMDSOptions{Identity: "box"})
	token := metadataToken(t, imds.URL(), "21600")
	const header = "x-aws-ec2-metadata-token"
	for name, test := range map[string]struct {
		method, path, token string
		status              int
	}{
		"version 1":            {"GET", metadataRoles, "", 401},
		"version 1, a role":    {"GET", metadataRoles + "box", "", 401},
		"a token of nobody":    {"GET", metadataRoles + "box", "x", 401},
		"another role":         {"GET", metadataRoles + "other", token, 404},
		"something else":       {"GET", "/latest/meta-data/ami-id", token, 404},
		"no slash between":     {"GET", strings.TrimSuffix(metadataRoles, "/") + "box", token, 404},
		"a method":             {"POST", metadataRoles, token, 405},
		"a token by GET":       {"GET", "/latest/api/token", token, 404},
		"a token without time": {"PUT", "/latest/api/token", token, 400},
	} {
		if status, _, text := ask(t, imds.URL()+test.path, test.method, "", header, test.token); status != test.status {
			t.Errorf("%s: %d %s, want %d", name, status, text, test.status)
		}
	}
	for _, seconds := range []string{"0", "-1", "21601", "an hour"} {
		status, _, _ := ask(t, imds.URL()+"/latest/api/token", "PUT", "", "x-aws-ec2-metadata-token-ttl-seconds", seconds)
		if status != 400 {
			t.Errorf("a token for %s s: %d", seconds, status)
		}
	}
	status, _, _ := ask(t, imds.URL()+"/latest/api/token", "PUT", "", "x-aws-ec2-metadata-token-ttl-seconds", "60", "X-Forwarded-For", "10.0.0.1")
	if status != 403 {
		t.Errorf("a token for a proxy: %d", status)
	}
}

func TestAnInstanceMayHaveNoRole(t *testing.T) {
	_, imds := newIMDS(t, IMDSOptions{})
	token := metadataToken(t, imds.URL(), "60")
	for _, path := range []string{metadataRoles, metadataRoles + "box"} {
		if status, _, text := ask(t, imds.URL()+path, "GET", "", "x-aws-ec2-metadata-token", token); status != 404 {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

func TestAMetadataTokenEndsAndRequestsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		imds := s.IMDS(IMDSOptions{Identity: "box", Delay: func(int) time.Duration { return time.Second }})
		imds.Serve(p)
		conn := dial(t, p)
		defer func() { _ = conn.Close() }()
		began := time.Now()
		_, _, token := over(t, conn, "PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nx-aws-ec2-metadata-token-ttl-seconds: 10\r\n\r\n")
		if took := time.Since(began); took != time.Second {
			t.Errorf("a second took %s", took)
		}
		for _, test := range []struct {
			after  time.Duration // the token was made
			status int
		}{{9 * time.Second, http.StatusOK}, {10 * time.Second, http.StatusUnauthorized}} {
			pause(t.Context(), time.Until(began.Add(test.after))) // the request takes a second more, as the token's did
			status, _, text := over(t, conn, "GET "+metadataRoles+" HTTP/1.1\r\nHost: h\r\nx-aws-ec2-metadata-token: "+token+"\r\n\r\n")
			if status != test.status {
				t.Errorf("after %s: %d %s", test.after, status, text)
			}
		}
	})
}
