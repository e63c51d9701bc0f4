package gateway

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"signet/config"
	"signet/gateway/sandbox"
)

// kindLife is how long the credentials of each kind of source live.
const kindLife = 2 * time.Second

// kinds is a cloud with eight routes, each of whose profiles is of another kind of source.
type kinds struct {
	*sandbox.Sandbox
	sts      *sandbox.STS
	routes   map[string]config.Route
	keysFile string // the profile "static" is in it
	home     string
}

func newKinds(t *testing.T) *kinds {
	t.Helper()
	k := &kinds{Sandbox: sandbox.New(sandbox.Options{Overlap: kindLife}), routes: map[string]config.Route{}, home: t.TempDir()}
	t.Cleanup(k.Close)
	k.sts = k.STS(sandbox.STSOptions{Life: kindLife})
	sso := k.SSO(sandbox.SSOOptions{TokenLife: kindLife, Life: kindLife})
	signin := k.Signin(sandbox.SigninOptions{Life: kindLife})
	container := k.Container(sandbox.ContainerOptions{Identity: "task", Token: "container-token", Life: kindLife})
	vend := k.Vend(sandbox.VendOptions{Life: kindLife})
	base, env := k.IssueStatic("base"), k.IssueStatic("environment")
	session, token := k.Identity("login").ARN()+"ada", filepath.Join(k.home, "token")
	k.keysFile = filepath.Join(k.home, "credentials")
	k.write(t, filepath.Join(k.home, "config"), fmt.Sprintf(`
[profile base]
aws_access_key_id = %s
aws_secret_access_key = %s
[profile static]
region = eu-west-1
[profile chain]
role_arn = %s
source_profile = base
[sso-session corp]
sso_start_url = https://sandbox.awsapps.com/start
sso_region = us-east-1
[profile sso]
sso_session = corp
sso_account_id = %s
sso_role_name = sso
[profile login]
login_session = %s
[profile web]
role_arn = %s
web_identity_token_file = %s
[profile process]
credential_process = '%s' print %s/process
[profile container]
role_arn = %s
credential_source = EcsContainer
`, base.AccessKeyID, base.SecretAccessKey, k.Identity("chain").RoleARN, k.Identity("sso").Account, session,
		k.Identity("web").RoleARN, token, os.Args[0], vend.URL(), k.Identity("container").RoleARN))
	k.rotate(t)
	k.write(t, token, k.WebToken("web"))
	k.write(t, k.tokenFile("sso", hash(sha1.New(), "corp")), string(sso.LoginExpired()))
	k.write(t, k.tokenFile("login", hash(sha256.New(), session)), string(signin.LoginExpired("login")))
	k.environment(t, map[string]string{
		"AWS_ACCESS_KEY_ID": env.AccessKeyID, "AWS_SECRET_ACCESS_KEY": env.SecretAccessKey,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": container.URL() + "/v2", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container-token",
		"AWS_ENDPOINT_URL_STS": k.sts.URL(), "AWS_ENDPOINT_URL_SSO": sso.URL(), "AWS_ENDPOINT_URL_SSO_OIDC": sso.URL(), "AWS_ENDPOINT_URL_SIGNIN": signin.URL(),
	})
	for i, name := range []string{"environment", "static", "chain", "sso", "login", "web", "process", "container"} {
		r := config.DefaultRoute()
		r.Service, r.Region, r.Profile = "svc-"+name, fmt.Sprintf("eu-west-%d", i+1), strings.TrimPrefix(name, "environment")
		r.Upstream = k.MCP(sandbox.MCPOptions{Name: name, Service: r.Service, Region: r.Region, Identity: name}).URL() + "/mcp"
		k.routes[name] = r
	}
	return k
}

func (k *kinds) tokenFile(kind, name string) string {
	return filepath.Join(k.home, ".aws", kind, "cache", name+".json")
}

func hash(h interface {
	io.Writer
	Sum([]byte) []byte
}, text string) string {
	_, _ = io.WriteString(h, text)
	return hex.EncodeToString(h.Sum(nil))
}

func (k *kinds) environment(t *testing.T, more map[string]string) {
	t.Helper()
	for _, variable := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", k.home)
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(k.home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", k.keysFile)
	for name, value := range more {
		t.Setenv(name, value)
	}
}

// write replaces a file whole, as the tools do that know how to.
func (k *kinds) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// rotate gives the profile "static" new keys.
func (k *kinds) rotate(t *testing.T) {
	t.Helper()
	c := k.Issue("static", 2*kindLife)
	k.write(t, k.keysFile, fmt.Sprintf("[static]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", c.AccessKeyID, c.SecretAccessKey, c.SessionToken))
}

// TestMain lets the test's own program be something else: the credential_process of a profile, or an upstream in
// another network.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "write what spans tell into testdata/spans")
	if len(os.Args) != 3 {
		os.Exit(m.Run())
	}
	var err error
	switch os.Args[1] {
	case "print":
		err = printAnswer(os.Args[2])
	case "silent":
		err = serveSilence(os.Args[2])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		os.Exit(1)
	}
}

// printAnswer prints what a URL answers.
func printAnswer(url string) error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

// serveSilence is an upstream that answers with a stream of one event and then says nothing. It says on standard
// output when it listens.
func serveSilence(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		events(w)(event(progress))
		<-r.Context().Done()
	}))
}

func TestPitfall08_EightKindsOfSourcesUnder64WorkersMixNothingUp(t *testing.T) {
	const workers, calls = 64, 10_000
	k := newKinds(t)
	o, spans := traced()
	var log guarded
	o.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := &storm{front: overTCPWith(t, settings(k.routes), o), cloud: &cloud{Sandbox: k.Sandbox, sts: k.sts, routes: k.routes}}
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	beside.Go(func() { s.gateway.Follow(ctx) })
	beside.Go(func() {
		tick := time.NewTicker(kindLife)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-tick.C:
				k.rotate(t)
			case <-ctx.Done():
			}
		}
	})
	began := time.Now()
	var next atomic.Int64
	var all sync.WaitGroup
	names := []string{"environment", "static", "chain", "sso", "login", "web", "process", "container"}
	for range workers {
		all.Go(func() {
			for n := next.Add(1); n <= calls || time.Since(began) < 3*kindLife; n = next.Add(1) {
				route := names[int(n)%len(names)]
				body, err := s.ask(t.Context(), route, mixed(n))
				if err != nil || !isResult(body) {
					s.fail("call %d on %s: %v %s", n, route, err, body)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	stop()
	beside.Wait()
	ledger := k.Ledger()
	if s.failed.Load() > 0 || ledger.WrongIdentity() > 0 || ledger.Mixed() > 0 || len(ledger.Twice()) > 0 {
		t.Errorf("%d of %d calls failed, %d under another identity, %d with mixed keys, %v twice; the first: %s",
			s.failed.Load(), next.Load(), ledger.WrongIdentity(), ledger.Mixed(), ledger.Twice(), s.first)
	}
	asked := map[string]int{}
	for _, a := range k.sts.Granted() {
		asked[a.RoleARN]++
	}
	if granted := len(k.sts.Granted()); k.sts.Asked() != granted {
		t.Errorf("STS was asked %d times and granted %d", k.sts.Asked(), granted)
	}
	// Newer ones are sought from 3/8 of a life before its end.
	most := int(took/(kindLife*5/8)) + 1
	for _, name := range []string{"chain", "web", "container"} {
		if n := asked[k.Identity(name).RoleARN]; n < 2 || n > most {
			t.Errorf("STS was asked %d times for route %s in %s, want at most %d and more than one", n, name, took, most)
		}
	}
	k.findNoSecret(t, s, &log, spans)
}

// mixed is the nth of calls that are not alike.
func mixed(n int64) string {
	id := fmt.Sprintf("kind-%d", n)
	switch n / 8 % 4 {
	case 0:
		return toolCall(id, "delay", `"ms":5`)
	case 1:
		return toolCall(id, "events", `"count":3,"every_ms":1,"bytes":10`)
	case 2:
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, n)
	}
	return toolCall(id, "echo", `"text":"hi"`)
}

// findNoSecret searches what the gateway says of itself for anything that only AWS and a source may know.
func (k *kinds) findNoSecret(t *testing.T, s *storm, log *guarded, spans *tracetest.InMemoryExporter) {
	t.Helper()
	status, err := json.Marshal(s.gateway.Status())
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal(spans.GetSpans())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(said, []byte("signet.credentials.fetch")) || !bytes.Contains(status, []byte("ASIA")) {
		t.Error("there is too little to search in")
	}
	for where, text := range map[string][]byte{"the log": log.bytes(), "the spans": said, "the status": status, "the first failure": []byte(s.first)} {
		if n := k.secretsIn(text); n > 0 {
			t.Errorf("%d secrets are in %s", n, where)
		}
	}
	// The control: where they belong they are found.
	for _, path := range []string{filepath.Join(k.home, "config"), k.keysFile, k.tokenFile("sso", hash(sha1.New(), "corp"))} {
		text, err := os.ReadFile(path)
		if err != nil || k.secretsIn(text) == 0 {
			t.Errorf("no secret is found in %s, %v", filepath.Base(path), err)
		}
	}
}

func (k *kinds) secretsIn(text []byte) (n int) {
	for _, secret := range append(k.Secrets(), "container-token") {
		if bytes.Contains(text, []byte(secret)) {
			n++
		}
	}
	return n
}

// guarded is a buffer for many writers.
type guarded struct {
	mu   sync.Mutex
	held bytes.Buffer // under mu
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held.Write(p)
}

func (g *guarded) bytes() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return bytes.Clone(g.held.Bytes())
}
