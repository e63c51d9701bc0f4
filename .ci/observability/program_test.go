package observability

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a program: far more than one takes.
const patience = 30 * time.Second

// binary is the path of a program that the run beside these tests has made.
func binary(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set: bash .ci/observability/run", variable)
	}
	return path
}

// A program is one that was started, and ends with the test at the latest.
type program struct {
	name    string
	command *exec.Cmd
	log     string // where its output is
	ended   chan struct{}
}

// start starts a program. Its output is shown when the test fails.
func start(t *testing.T, dir, name string, environ []string, path string, arguments ...string) *program {
	t.Helper()
	p := &program{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	output, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = output.Close() }() // the program has its own
	p.command = exec.Command(path, arguments...)
	p.command.Env, p.command.Stdout, p.command.Stderr = environ, output, output
	if err := p.command.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("output of %s:\n%s", name, p.output(t))
		}
	})
	return p
}

// stop asks the program to end, and waits until it has.
func (p *program) stop(t *testing.T) {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		<-p.ended
		t.Errorf("%s did not end within %s of SIGTERM", p.name, patience)
	}
}

func (p *program) output(t *testing.T) []byte {
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	return text
}

// listens waits until the program takes connections.
func (p *program) listens(t *testing.T, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		await(t, p.name+" at "+address, func() bool {
			select {
			case <-p.ended:
				t.Fatalf("%s ended", p.name)
			default:
			}
			conn, err := net.Dial("tcp", address)
			return err == nil && conn.Close() == nil
		})
	}
}

// await waits for something that is in another process, and tells nobody when it comes about.
func await(t *testing.T, what string, come func() bool) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !come() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// freeAddress is one where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// output is what a program prints that is to end well. What it reads is input.
func output(t *testing.T, input []byte, path string, arguments ...string) string {
	t.Helper()
	command := exec.Command(path, arguments...)
	command.Stdin = bytes.NewReader(input)
	text, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command.Args, err, text)
	}
	return string(text)
}

// fails is how a program ends.
func fails(input []byte, path string, arguments ...string) error {
	command := exec.Command(path, arguments...)
	command.Stdin = bytes.NewReader(input)
	return command.Run()
}
