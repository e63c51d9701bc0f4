//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"signet/config"
)

// quick is an upstream that answers at once.
func quick(t *testing.T) string {
	t.Helper()
	_, url := holdAll(t)
	return url
}

// Row P01. Connections leave the last descriptors to others, so what the gateway lives by goes on.
func TestFault_P01_WithoutDescriptorsCallsAreShedUntilThereAreSome(t *testing.T) {
	up := quick(t)
	p := attend(t, "ulimit -n 64;", fmt.Sprintf(`
listen: ["127.0.0.1:0"]
auth: { mode: none }
routes:
  cold: { upstream: "%s/quick", upstream_auth: none }
  warm: { upstream: "%s/quick", upstream_auth: none }
  file: { upstream: "%s/quick", service: svc, region: eu-west-1, profile: team }
`, up, up, up))
	write(t, filepath.Join(p.home, "credentials"), "[team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = x\n")
	known := p.caller(t)
	if got := known.call("warm", theMessage); got != "200 "+aResult {
		t.Fatal(got)
	}
	p.besides(t, known)
	var flood []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		flood = append(flood, c)
	}
	becomes(t, "it has no descriptors", func() bool { return strings.Contains(p.log.String(), "too many open files") })
	got := known.call("cold", theMessage)
	for _, words := range []string{"200 ", `"id":1`, `"code":-31020`, `"reason":"fds"`, `"outcome":"not_sent"`, `"retryable":true`, "ulimit -n"} {
		if !strings.Contains(got, words) {
			t.Errorf("%s: want %s", got, words)
		}
	}
	if got := known.call("warm", theMessage); got != "200 "+aResult {
		t.Errorf("a route that needs none: %s", got)
	}
	p.besides(t, known)
	if got := known.call("file", theMessage); !strings.Contains(got, `"reason":"fds"`) { // the file could be read
		t.Errorf("a route whose keys are in a file: %s", got)
	}
	file := filepath.Join(p.home, "signet.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(text), "  warm:", "  new: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none }\n  warm:", 1))
	p.signal(t, syscall.SIGHUP)
	becomes(t, "the file is applied", func() bool { return strings.Contains(p.log.String(), `"snapshot":2`) })
	if status, _, err := request(p.operator(t), http.MethodGet, "http://localhost/-/status", "", ""); status != http.StatusOK {
		t.Errorf("who operates it: %d %v", status, err)
	}
	for _, c := range flood {
		_ = c.Close()
	}
	becomes(t, "a new client is answered", func() bool { return p.dial(t).call("cold", theMessage) == "200 "+aResult })
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// operator is a client of a process's own socket.
func (p *process) operator(t *testing.T) *http.Client {
	t.Helper()
	path := operatorSocket(t, p)
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", path)
	}}}
}

// Row P03; what it says of a parent and of stdin comes with the stdio front.
func TestFault_P03_OutputThatNobodyReadsEndsNothing(t *testing.T) {
	// Whatever started the tests: a child of a program that is told of SIGPIPE has it as it is by default.
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGPIPE)
	defer signal.Stop(told)
	port := freeLoopback(t)
	p := attended(t, "", strings.Replace(routes(quick(t), ""), "127.0.0.1:0", port, 1)+"  down: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none }\n")
	read, wrote, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout, p.Stderr, p.address = wrote, wrote, port
	p.start(t)
	_ = wrote.Close()
	becomes(t, "it serves", func() bool {
		c, err := net.Dial("tcp", port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	_ = read.Close()
	p.attendance.blind = "they are printed to the pipe that nobody reads"
	known := p.caller(t)
	p.besides(t, known)
	for range 3 {
		if got := known.call("down", theMessage); !strings.Contains(got, `"reason":"refused"`) { // and a line is logged
			t.Error(got)
		}
		if got := known.call("quick", theMessage); got != "200 "+aResult {
			t.Error(got)
		}
	}
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// freeLoopback is an address of this machine that nobody listens on.
func freeLoopback(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Row P07: whatever it was doing, what starts after it on the same files, port and sockets serves at once.
func TestFault_P07_AfterAKillNothingIsInTheWay(t *testing.T) {
	cycles := 5
	if os.Getenv("SIGNET_LONG") != "" {
		cycles = 100
	}
	text := strings.Replace(routes(quick(t), ""), "127.0.0.1:0", freeLoopback(t)+`", "unix://./s`, 1)
	p := attended(t, "", text)
	config, err := os.ReadFile(filepath.Join(p.home, "signet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(p.home, "signet.yaml"), strings.Replace(string(config), "./s", p.home+"/s", 1))
	for cycle := range cycles {
		if cycle > 0 {
			env := p.Env
			p = again(t, p.home, "")
			p.Env = env
			p.attend(t)
		}
		p.attendance.blind = "who is killed writes no more spans"
		p.serve(t)
		p.besides(t, p.caller(t))
		if got := p.caller(t).call("quick", theMessage); got != "200 "+aResult {
			t.Fatalf("cycle %d: %s", cycle, got)
		}
		for _, path := range []string{filepath.Join(p.home, "s"), operatorSocket(t, p)} {
			c, err := net.Dial("unix", path)
			if err != nil {
				t.Fatalf("cycle %d: %v", cycle, err)
			}
			_ = c.Close()
		}
		var load sync.WaitGroup
		for range 8 {
			c := p.caller(t)
			load.Go(func() {
				for strings.HasPrefix(c.call("quick", theMessage), "200 ") {
				}
			})
		}
		p.signal(t, syscall.SIGKILL)
		load.Wait()
		<-p.ended
	}
	files, err := filepath.Glob(filepath.Join(p.home, "*"))
	if err != nil || len(files) != 4 { // the config, the runtime directory, the socket and its lock
		t.Errorf("it leaves %v, %v", files, err)
	}
}

// operatorSocket is the path of a process's own.
func operatorSocket(t *testing.T, p *process) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.home, "signet", "*.sock"))
	if err != nil || len(found) != 1 {
		t.Fatalf("operator sockets %v, %v", found, err)
	}
	return found[0]
}

// Row P08, with exit code 1 by config.md, rule 11.
func TestFault_P08_ASecondStartSaysWhoIsThereAndHarmsNothing(t *testing.T) {
	first := attend(t, "", routes(quick(t), ""))
	held := `listen: ["unix://` + first.home + `/s"]` + oneRoute
	holder := begin(t, "", held)
	holder.serve(t)
	for name, test := range map[string]struct {
		home, text, want string
		by               *process
	}{
		"the same port":   {"", `listen: ["` + first.address + `"]` + oneRoute, "listen " + first.address + ": address in use", first},
		"the same file":   {first.home, "", "one for each config file", first},
		"the same socket": {"", held, "/s: address in use by pid", holder},
	} {
		t.Run(name, func(t *testing.T) {
			var second *process
			if test.home != "" {
				second = again(t, test.home, "")
			} else {
				second = begin(t, "", test.text)
			}
			second.start(t)
			code := <-second.ended
			said := second.log.String()
			if code != exitRuntime || !strings.Contains(said, test.want) {
				t.Errorf("exit code %d: %s, want %d and %q", code, said, exitRuntime, test.want)
			}
			if name != "the same port" && !strings.Contains(said, "pid "+strconv.Itoa(test.by.Process.Pid)) {
				t.Errorf("%s does not name the one that is there", said)
			}
		})
	}
	known := first.caller(t)
	if got := known.call("quick", theMessage); got != "200 "+aResult {
		t.Errorf("the first: %s", got)
	}
	first.besides(t, known)
	if c, err := net.Dial("unix", filepath.Join(first.home, "s")); err != nil {
		t.Errorf("the socket: %v", err)
	} else {
		_ = c.Close()
	}
	first.signal(t, syscall.SIGTERM)
	if code := <-first.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, first.log)
	}
}

// Row P12: a port that has been served on, and whose connections the server has ended first, is free again.
func TestFault_P12_APortInTimeWaitIsServedOnAgain(t *testing.T) {
	ls := newTestListeners(t)
	apply(t, ls, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }), "127.0.0.1:0")
	address := strings.TrimPrefix(ls.urls()[0], "http://")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, err := io.ReadAll(c); err != nil || len(got) == 0 { // to the server's end of it
		t.Fatalf("%q, %v", got, err)
	}
	_ = c.Close()
	ls.close(0)
	if err := bindPlainly(t, address); err == nil {
		t.Fatal("the control, which does not ask to have the port again, gets it")
	}
	apply(t, ls, answer("again"), address)
	if got, err := fetch(t, "http://"+address); got != "again" {
		t.Errorf("%q, %v", got, err)
	}
}

// bindPlainly binds a socket of 127.0.0.1 without SO_REUSEADDR.
func bindPlainly(t *testing.T, address string) error {
	t.Helper()
	_, text, _ := net.SplitHostPort(address)
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	return syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
}

func TestFault_P12_LocalhostIsBothLoopbackAddresses(t *testing.T) {
	_, port, _ := net.SplitHostPort(freeLoopback(t))
	p := attend(t, "", `listen: ["localhost:`+port+`", "127.0.0.1:`+port+`"]`+oneRoute)
	p.address = "127.0.0.1:" + port
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		if got, err := fetch(t, "http://"+host+":"+port+"/-/healthy"); got != "healthy\n" {
			t.Errorf("%s: %q, %v", host, got, err)
		}
	}
	known := p.caller(t)
	p.besides(t, known)
	file := filepath.Join(p.home, "signet.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	listen, rest, _ := strings.Cut(string(text), `listen: [`)
	_, rest, _ = strings.Cut(rest, "]")
	write(t, file, listen+`listen: ["[::1]:`+port+`"]`+rest) // IPv6 alone
	p.signal(t, syscall.SIGHUP)
	becomes(t, "IPv4 is not served", func() bool {
		_, err := fetch(t, "http://127.0.0.1:"+port+"/-/healthy")
		return err != nil
	})
	if got, err := fetch(t, "http://[::1]:"+port+"/-/healthy"); got != "healthy\n" {
		t.Errorf("%q, %v", got, err)
	}
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

func TestFault_P12_AnAddressThatTheMachineLacksIsSaid(t *testing.T) {
	out := new(logText)
	log, err := newLogging(out, config.Log{Level: "info", Format: "json"})
	if err != nil {
		t.Fatal(err)
	}
	ls := newListeners(log.Logger)
	t.Cleanup(func() { ls.close(0) })
	b := &binding{listeners: ls}
	if err := b.bind([]string{"127.0.0.1:0", "192.0.2.1:0"}); err != nil { // an address of no machine
		t.Fatal(err)
	}
	if len(b.bound) != 1 || !strings.Contains(out.String(), `"address":"192.0.2.1:0"`) {
		t.Errorf("%d bound; %s", len(b.bound), out)
	}
	b.discard()
	if err := (&binding{listeners: ls}).bind([]string{"192.0.2.1:0"}); err == nil {
		t.Error("an address that the machine lacks, alone, is no error")
	}
}
