package gateway

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"signet/config"
	"signet/gateway/sandbox"
)

// canary is in every secret of this test, and in all that a hostile AWS says.
const canary = "CaNaRy7f3a"

// hostile are answers that carry a secret where an error has its words.
func hostile() map[string]http.HandlerFunc {
	say := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("X-Amzn-Errortype", canary+"Exception")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	return map[string]http.HandlerFunc{
		"an XML error":   say(403, "text/xml", "<ErrorResponse><Error><Code>"+canary+" x</Code><Message>"+canary+"</Message></Error></ErrorResponse>"),
		"a JSON error":   say(400, "application/json", `{"__type":"`+canary+` x","error":"`+canary+`","error_description":"`+canary+`","message":"`+canary+`"}`),
		"a server's":     say(500, "text/plain", canary),
		"half an answer": say(200, "application/json", `{"accessToken":"`+canary+`","roleCredentials":{"accessKeyId":"`+canary),
		"a web page":     say(200, "text/html", "<html>"+canary),
	}
}

func TestNoSecretIsToldWhenSourcesFail(t *testing.T) {
	for name, answer := range hostile() {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			t.Cleanup(server.Close)
			routes := hostileProfiles(t, server.URL)
			o, spans := traced()
			var log guarded
			o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			s := &storm{front: overTCPWith(t, settings(routes), o)}
			var told strings.Builder
			for route := range routes {
				body, err := s.ask(t.Context(), route, toolCall("1", "echo", `"text":"x"`))
				if err != nil || isResult(body) {
					t.Errorf("%s was served: %v %s", route, err, body)
				}
				told.WriteString(body)
			}
			status, err := json.Marshal(s.gateway.Status())
			if err != nil {
				t.Fatal(err)
			}
			said, err := json.Marshal(spans.GetSpans())
			if err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"an answer": told.String(), "the status": string(status), "the spans": string(said), "the log": string(log.bytes())} {
				if i := strings.Index(text, canary); i >= 0 {
					t.Errorf("a secret is in %s: %s", where, text[max(0, i-200):min(len(text), i+100)])
				}
			}
			if n := strings.Count(told.String(), `"code":-31010`); n != len(routes) || !strings.Contains(string(said), "signet.credentials.fetch") {
				t.Errorf("%d of %d routes failed for want of credentials: %s", n, len(routes), told.String())
			}
		})
	}
}

// hostileProfiles are routes of profiles of all kinds, each with secrets in its files and with a source that is
// asked at url, or fails by itself.
func hostileProfiles(t *testing.T, url string) map[string]config.Route {
	t.Helper()
	dir := t.TempDir()
	k := &kinds{Sandbox: sandbox.New(sandbox.Options{}), home: dir, keysFile: filepath.Join(dir, "credentials")}
	t.Cleanup(k.Close)
	session := "arn:aws:sts::111122223333:assumed-role/login/ada"
	write := func(path, text string) { k.write(t, path, text) }
	write(filepath.Join(dir, "config"), fmt.Sprintf(`
[profile chain]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = base
[profile base]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = %[1]s
[sso-session corp]
sso_start_url = https://x.example/%[1]s
sso_region = us-east-1
[profile sso]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = r
[profile login]
login_session = %[2]s
[profile web]
role_arn = arn:aws:iam::111122223333:role/r
web_identity_token_file = %[3]s
[profile process]
credential_process = sh -c 'echo %[1]s >&2; echo {\"SecretAccessKey\":\"%[1]s\"; exit 3'
[profile garbage]
credential_process = echo %[1]s
[profile container]
role_arn = arn:aws:iam::111122223333:role/r
credential_source = EcsContainer
[profile instance]
role_arn = arn:aws:iam::111122223333:role/r
credential_source = Ec2InstanceMetadata
[profile half]
aws_access_key_id = ASIAEXAMPLE
aws_secret_access_key = %[1]s
`, canary, session, filepath.Join(dir, "token")))
	write(k.keysFile, "")
	write(filepath.Join(dir, "token"), canary)
	write(k.tokenFile("sso", hash(sha1.New(), "corp")), `{"accessToken":"`+canary+`","expiresAt":"2001-01-01T00:00:00Z","refreshToken":"`+canary+`","clientId":"c","clientSecret":"`+canary+`"}`)
	login := string(k.Signin(sandbox.SigninOptions{}).LoginExpired("login"))
	write(k.tokenFile("login", hash(sha256.New(), session)), strings.Replace(login, `"refreshToken":"`, `"refreshToken":"`+canary, 1))
	more := map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": canary,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "",
	}
	for _, service := range []string{"STS", "SSO", "SSO_OIDC", "SIGNIN"} {
		more["AWS_ENDPOINT_URL_"+service] = url
	}
	k.environment(t, more)
	routes := map[string]config.Route{}
	for _, name := range []string{"chain", "sso", "login", "web", "process", "garbage", "container", "instance", "half"} {
		r := config.DefaultRoute()
		r.Service, r.Region, r.Profile, r.Upstream = "svc", "eu-west-1", name, "http://127.0.0.1:1/mcp"
		routes[name] = r
	}
	if os.Getenv("HOME") != dir {
		t.Fatal("the test reads the user's own files")
	}
	return routes
}
