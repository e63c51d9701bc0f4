//go:build unix

package credentials

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
)

// run runs a command line as a profile's credential_process.
func run(ctx context.Context, line string) (Fetched, error) {
	l := link{
		profile: &config.SharedConfig{Profile: "p", CredentialProcess: line}, options: ProfileOptions{Home: NewHome()},
		read: newReading(config.SharedConfig{}, nil),
	}
	creds, err := l.fetch(ctx)
	return Fetched{Credentials: creds}, err
}

const printed = `{"Version":1,"AccessKeyId":"ASIAPROCESS1","SecretAccessKey":"s","SessionToken":"t","Expiration":"2999-01-01T00:00:00Z"}`

func TestProcessGivesCredentials(t *testing.T) {
	f, err := run(t.Context(), "echo '"+printed+"'")
	if err != nil || f.Credentials.AccessKeyID != "ASIAPROCESS1" || f.Credentials.SessionToken != "t" || f.Credentials.Expires.Year() != 2999 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestFault_C08_Pitfall09_ProcessReadsNothingOfOurs(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	if _, err := write.WriteString(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	stdin := os.Stdin
	os.Stdin = read
	defer func() { os.Stdin = stdin }()
	got := filepath.Join(t.TempDir(), "got")
	if _, err := run(t.Context(), "cat > "+got+"; echo '"+printed+"'"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(got); err != nil || len(text) > 0 {
		t.Errorf("the process read %q of our input, %v", text, err)
	}
}

func TestProcessDoesNotSeeWhatIsOurs(t *testing.T) {
	t.Setenv("SIGNET_SECRET", "canary")
	t.Setenv("OTHER", "seen")
	got := filepath.Join(t.TempDir(), "got")
	if _, err := run(t.Context(), "env > "+got+"; echo '"+printed+"'"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(got)
	if err != nil || strings.Contains(string(text), "canary") || !strings.Contains(string(text), "OTHER=seen") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestFault_C06_Pitfall10_ProcessIsEndedWithAllItStarted(t *testing.T) {
	pids, started := filepath.Join(t.TempDir(), "pids"), newPipe(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		_, _ = os.ReadFile(started) // returns once it was written
		cancel(errors.New("late"))
	}()
	began := time.Now()
	_, err := run(ctx, "sleep 600 & echo $! > "+pids+"; echo yes > "+started+"; sleep 600")
	var known *Error
	if !errors.As(err, &known) || known.Reason != "process_timeout" {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s, though the child that holds the output open was to be killed", took)
	}
	pid := readPID(t, pids)
	for !gone(pid) && t.Context().Err() == nil {
		<-time.After(time.Millisecond)
	}
}

func readPID(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// gone reports whether a process has ended: it is not there, or nobody has collected it yet.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestFault_C07_Pitfall11_ProcessThatFailsIsNeverQuoted(t *testing.T) {
	for name, test := range map[string]struct{ line, want string }{
		"exit":         {"echo SECRET-CANARY >&2; echo SECRET-CANARY; exit 3", "ended with exit status 3"},
		"garbage":      {"echo '" + printed + " SECRET-CANARY'", "printed no JSON that can be read"},
		"too much":     {"head -c 50000000 /dev/zero | tr '\\0' x", "printed more than 64 KiB"},
		"no key":       {`echo '{"Version":1,"SecretAccessKey":"SECRET-CANARY"}'`, "printed no key"},
		"version":      {`echo '{"Version":2,"AccessKeyId":"a","SecretAccessKey":"SECRET-CANARY"}'`, "printed a Version other than 1"},
		"expired":      {`echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"SECRET-CANARY","Expiration":"2001-01-01T00:00:00Z"}'`, "printed credentials that have expired"},
		"not there":    {"/nowhere/SECRET-CANARY", "ended with exit status 127"},
		"half a token": {`echo '{"Version":1,"AccessKeyId":"ASIAX","SecretAccessKey":"SECRET-CANARY"}'`, "temporary but has no session token"},
	} {
		_, err := run(t.Context(), test.line)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		for cause := err; cause != nil; cause = errors.Unwrap(cause) {
			if strings.Contains(cause.Error(), "CANARY") {
				t.Errorf("%s: a cause quotes it: %v", name, cause)
			}
		}
	}
}

func TestProcessThatIgnoresItsFullOutputIsEndedAtOnce(t *testing.T) {
	began := time.Now()
	_, err := run(t.Context(), "trap '' PIPE; head -c 100000 /dev/zero; sleep 600")
	if err == nil || !strings.Contains(err.Error(), "printed more than 64 KiB") {
		t.Error(err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestProcessMayLeaveAnAgentBehind(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	f, err := run(t.Context(), "sleep 600 & echo $! > "+pids+"; echo '"+printed+"'")
	if err != nil || f.Credentials.AccessKeyID != "ASIAPROCESS1" {
		t.Errorf("%+v, %v", f, err)
	}
	pid := readPID(t, pids)
	if gone(pid) {
		t.Error("the agent was ended with the process that did its work")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
}

// newPipe is the path of a pipe: whoever reads it waits for whoever writes it.
func newPipe(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitProcess has c fetch, for nobody, and returns once that waits for a process.
func awaitProcess(t *testing.T, c *Cache) {
	t.Helper()
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, _ = c.Get(gone, time.Now())
	c.mu.Lock()
	f := c.flight
	c.mu.Unlock()
	if f == nil {
		t.Fatal("nothing is being fetched")
	}
	for e := f.stage.now.Load(); e == nil || e.Reason != "process_timeout"; e = f.stage.now.Load() {
		runtime.Gosched()
	}
}

func TestAChainWaitsForTheProcessOfItsSource(t *testing.T) {
	home(t, "[profile p]\ncredential_process = sleep 600\n[profile r]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = p\nregion = eu-west-1\n", "")
	ended := make(chan Refresh, 1)
	c := newCache(t, NewProfile(ProfileOptions{Profile: "r", HTTPClient: loopback(t)}), Options{
		Wait: time.Millisecond, Timeout: 2 * time.Second, Observe: func(r Refresh) { ended <- r },
	})
	awaitProcess(t, c)
	_, _, err := get(c)
	var known *Error
	if !errors.As(err, &known) || known.Reason != "process_timeout" || known.Message != `profile "p": credential_process has not answered for 1ms` {
		t.Errorf("a call that waits no longer: %v", err)
	}
	if r := <-ended; !errors.As(r.Err, &known) || known.Reason != "process_timeout" {
		t.Errorf("the fetch: %v", r.Err)
	}
}
