package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A command is what a client is told to do.
type command struct {
	ID      int            `json:"id"`
	Op      string         `json:"op"` // open, list, call, told, level, abort, close
	Session string         `json:"session"`
	URL     string         `json:"url,omitempty"`
	Key     string         `json:"key,omitempty"` // with one a client never starts OAuth
	Tool    string         `json:"tool,omitempty"`
	Args    map[string]any `json:"args,omitempty"`
	Timeout int            `json:"timeout,omitempty"` // of a call, in ms
	Target  int            `json:"target,omitempty"`  // the call to abort
}

// A reply is how that went, by the client's own clock.
type reply struct {
	ID      int     `json:"id"`
	Ms      float64 `json:"ms"`
	Error   *fault  `json:"error"`
	Text    string  `json:"text"`
	IsError bool    `json:"isError"`
	Tools   int     `json:"tools"`

	Progress, Logs, Changes int
	Events                  []string
}

// A fault is an error as the client shows it to its program. Code 0 is one that is no JSON-RPC error.
type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Source, Reason, Route, Outcome string
	} `json:"data"`
}

func (f *fault) String() string {
	if f == nil {
		return "no error"
	}
	return fmt.Sprintf("%d %s %q", f.Code, f.Data.Reason, f.Message)
}

// A client is one of the SDKs in one of its eras.
type client interface {
	// do carries out a command. Several may be under way.
	do(c command) <-chan reply
}

// ask carries out a command and waits for its end, which has to come.
func ask(t *testing.T, name string, of client, c command) reply {
	t.Helper()
	select {
	case r := <-of.do(c):
		return r
	case <-time.After(20 * time.Second):
		t.Errorf("%s: %s %s %s has no end", name, c.Op, c.Session, c.Tool)
		return reply{Ms: 20_000, Error: &fault{Message: "no end"}}
	}
}

// A driver is a client in a process of its own.
type driver struct {
	in      io.Writer
	process *os.Process

	mu      sync.Mutex
	last    int                // under mu
	waiting map[int]chan reply // under mu
}

// drive starts a client's program and waits until it listens. It ends with the test.
func drive(t *testing.T, name, program string, args ...string) *driver {
	t.Helper()
	cmd := exec.Command(program, args...)
	log, err := os.Create(filepath.Join(logs(t), name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &driver{in: in, process: cmd.Process, waiting: map[int]chan reply{0: make(chan reply, 1)}}
	listens := d.waiting[0]
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.read(out)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = in.Close()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
	})
	select {
	case <-listens:
	case <-time.After(60 * time.Second):
		t.Fatalf("%s does not start; see %s", name, log.Name())
	}
	return d
}

// read hands out replies until there are no more.
func (d *driver) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		var r reply
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		d.mu.Lock()
		if err != nil {
			for _, waits := range d.waiting {
				waits <- reply{Error: &fault{Message: "the client's process ended: " + err.Error() + " " + string(line)}}
			}
			d.waiting = map[int]chan reply{}
			d.mu.Unlock()
			return
		}
		if waits := d.waiting[r.ID]; waits != nil {
			waits <- r
			delete(d.waiting, r.ID)
		}
		d.mu.Unlock()
	}
}

func (d *driver) do(c command) <-chan reply {
	answer := make(chan reply, 1)
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.ID == 0 {
		d.last++
		c.ID = d.last
	}
	d.waiting[c.ID] = answer
	text, err := json.Marshal(c)
	if err == nil {
		_, err = d.in.Write(append(text, '\n'))
	}
	if err != nil {
		answer <- reply{Error: &fault{Message: err.Error()}}
	}
	return answer
}

// logs is where the processes' own words go. SIGNET_CLIENTS_LOGS keeps them.
func logs(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("SIGNET_CLIENTS_LOGS"); dir != "" {
		return dir
	}
	return t.TempDir()
}
