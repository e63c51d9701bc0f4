package clients

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A gateway is a signet that runs by itself, on AWS files of its own.
type gateway struct {
	address string
	config  string // its path
	env     []string
}

// awsConfig are profiles that give credentials, and profiles that do not.
const awsConfig = `
[profile empty]
region = eu-west-1
[profile corp]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = reader
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
[profile login]
login_session = arn:aws:iam::111122223333:user/ada
region = eu-west-1
[profile process]
credential_process = /bin/false
[profile slow]
credential_process = sleep 30
[profile role]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = good
[profile mfa]
role_arn = arn:aws:iam::111122223333:role/r
source_profile = good
mfa_serial = arn:aws:iam::111122223333:mfa/me
`

const awsCredentials = `
[good]
aws_access_key_id = AKIAEXAMPLE0GOOD1
aws_secret_access_key = not-a-secret
`

// program is the signet to test.
func program(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SIGNET")
	if path == "" {
		t.Fatal("SIGNET names no program: run this by bash .ci/clients/run")
	}
	return path
}

// newGateway starts a signet whose config is what routes says for the address it is to listen on.
func newGateway(t *testing.T, head, routes string) *gateway {
	t.Helper()
	home, err := os.MkdirTemp("", "signet-clients-") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	put(t, filepath.Join(home, "aws-config"), awsConfig)
	put(t, filepath.Join(home, "aws-credentials"), awsCredentials)
	g := &gateway{address: freeAddress(t), config: filepath.Join(home, "signet.yaml"), env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + home, "TMPDIR=" + home,
		"AWS_CONFIG_FILE=" + home + "/aws-config", "AWS_SHARED_CREDENTIALS_FILE=" + home + "/aws-credentials",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL_STS=http://127.0.0.1:1",
	}}
	g.write(t, head, routes)
	log, err := os.Create(filepath.Join(logs(t), "signet.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t), "run", "-c", g.config)
	cmd.Env, cmd.Stdout, cmd.Stderr = g.env, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("signet did not end: %v", <-ended)
		}
		_ = log.Close()
	})
	g.await(t, log.Name())
	return g
}

// await waits until the gateway serves.
func (g *gateway) await(t *testing.T, log string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		response, err := http.Get("http://" + g.address + "/-/ready")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == 200 {
				return
			}
		}
		<-time.After(20 * time.Millisecond)
	}
	words, _ := os.ReadFile(log)
	t.Fatalf("signet does not serve: %s", words)
}

// write writes its config.
func (g *gateway) write(t *testing.T, head, routes string) {
	t.Helper()
	put(t, g.config, fmt.Sprintf("listen: [%q]\nauth: { mode: none, allowed_hosts: [127.0.0.1] }\n%s\nroutes:\n%s", g.address, head, routes))
}

// reload has it apply another config, and is back when it has.
func (g *gateway) reload(t *testing.T, head, routes string) {
	t.Helper()
	g.write(t, head, routes)
	cmd := exec.Command(program(t), "reload", "-c", g.config)
	cmd.Env = g.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("reload: %v: %s", err, out)
	}
}

// post sends a tools/call of its own, as no client would, and returns the answer.
func (g *gateway) post(route, tool string) string {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":"raw","method":"tools/call","params":{"name":%q,"arguments":{}}}`, tool)
	response, err := http.Post("http://"+g.address+"/"+route, "application/json", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	answer, _ := io.ReadAll(response.Body)
	return string(answer)
}

// validate is what signet validate says of a config, and whether it takes it.
func validate(t *testing.T, text string) (says string, ok bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signet.yaml")
	put(t, path, text)
	cmd := exec.Command(program(t), "validate", path)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(path)}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err == nil
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
