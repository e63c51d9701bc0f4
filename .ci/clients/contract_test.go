package clients

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// slack is how much later than due an error may show.
const slack = 500 * time.Millisecond

// A stage is a gateway with a route for each row, and what is behind it.
type stage struct {
	*gateway
	upstream *upstream
	secure   *httptest.Server // the same over TLS
	impostor *httptest.Server // and by somebody else
	ca       string           // vouches for secure
	wires    map[string]*wire
	rows     []row
	failed   time.Time // when the rows began to
}

func newStage(t *testing.T, rows []row) *stage {
	t.Helper()
	s := &stage{upstream: newUpstream(t), wires: map[string]*wire{}, rows: rows}
	s.secure = httptest.NewTLSServer(s.upstream)
	s.impostor = httptest.NewUnstartedServer(s.upstream)
	s.impostor.TLS = &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}
	s.impostor.Config.ErrorLog = quiet()
	s.secure.Config.ErrorLog = quiet()
	s.impostor.StartTLS()
	t.Cleanup(s.secure.CloseClientConnections)
	t.Cleanup(s.impostor.CloseClientConnections)
	s.ca = filepath.Join(t.TempDir(), "ca.pem")
	put(t, s.ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.secure.Certificate().Raw})))
	for _, r := range rows {
		switch r.path {
		case "http":
			s.wires[r.name] = newWire(t, s.upstream.address())
		case "https":
			s.wires[r.name] = newWire(t, s.secure.Listener.Addr().String())
		}
	}
	s.gateway = newGateway(t, head, s.routes(false))
	return s
}

const head = "drain: 1s\ndefaults: { service: svc, region: eu-west-1 }"

// routes are the routes' part of the config, while they work and while they fail.
func (s *stage) routes(failing bool) string {
	var b strings.Builder
	for _, r := range s.rows {
		if failing && r.removed {
			continue
		}
		url, keys := s.upstream.URL+"/mcp", []string{r.healthy}
		switch r.path {
		case "http":
			url = "http://" + s.wires[r.name].address + "/mcp"
		case "https":
			url = "https://" + s.wires[r.name].address + "/mcp"
			keys = append(keys, fmt.Sprintf("tls: { ca_file: %q }", s.ca))
		}
		if failing && r.broken != "" {
			keys[0] = r.broken
		}
		if !strings.Contains(keys[0], "breaker:") {
			keys = append(keys, "breaker: { failures: 0 }") // eight clients fail here one after the other
		}
		if !strings.Contains(keys[0], "profile:") {
			keys = append(keys, "upstream_auth: none")
		}
		fmt.Fprintf(&b, "  %s: { upstream: %q", r.name, url)
		for _, key := range keys {
			if key != "" {
				b.WriteString(", " + key)
			}
		}
		b.WriteString(" }\n")
	}
	return b.String()
}

// fail makes every row fail.
func (s *stage) fail(t *testing.T) {
	t.Helper()
	for _, r := range s.rows {
		switch r.wire {
		case "cut":
			s.wires[r.name].cut()
		case "silent":
			s.wires[r.name].lay(t, "")
		case "impostor":
			s.wires[r.name].lay(t, s.impostor.Listener.Addr().String())
		}
	}
	s.reload(t, head, s.routes(true))
	s.failed = time.Now()
	for _, r := range s.rows {
		for range r.raws {
			s.post(r.name, r.raw)
		}
		if r.raws < 0 {
			held := s.upstream.held.Load()
			go s.post(r.name, r.raw)
			eventually(t, r.name+" is held", func() bool { return s.upstream.held.Load() > held })
		}
	}
}

// mend makes every row work again.
func (s *stage) mend(t *testing.T) {
	t.Helper()
	close(s.upstream.release)
	for _, r := range s.rows {
		switch r.path {
		case "http":
			s.wires[r.name].lay(t, s.upstream.address())
		case "https":
			s.wires[r.name].lay(t, s.secure.Listener.Addr().String())
		}
	}
	s.reload(t, head, s.routes(false))
	for _, r := range s.rows {
		eventually(t, r.name+" works again", func() bool {
			request := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}`
			in, _ := http.NewRequest(http.MethodPost, "http://"+s.gateway.address+"/"+r.name, strings.NewReader(request))
			in.Header.Set("Content-Type", "application/json")
			in.Header.Set("Accept", "application/json, text/event-stream")
			response, err := http.DefaultClient.Do(in)
			if err != nil {
				return false
			}
			defer func() { _ = response.Body.Close() }()
			return response.StatusCode == 200 && response.Header.Get("Mcp-Session-Id") != ""
		})
	}
}

// A cell is what one client saw of one class.
type cell struct {
	row   row
	first reply
	late  time.Duration // how much later than due
	next  reply         // of the tools/list after it
}

// judge says what is wrong with a cell, or nothing.
func (c cell) judge() (wrong []string) {
	switch f := c.first.Error; {
	case f == nil:
		wrong = append(wrong, "no error")
	case c.row.door:
	case f.Code != c.row.code || !strings.HasPrefix(strings.TrimPrefix(f.Message, "MCP error "+fmt.Sprint(c.row.code)+": "), "signet: "):
		wrong = append(wrong, "code: "+f.String())
	case f.Data.Reason != c.row.reason || f.Data.Source != "gateway":
		wrong = append(wrong, "reason: "+f.String())
	}
	if c.late > slack {
		wrong = append(wrong, fmt.Sprintf("late: %s after it was due", c.late.Round(time.Millisecond)))
	}
	if dead := c.next.Error != nil || c.next.Tools == 0; dead && !c.row.door {
		wrong = append(wrong, "dead: tools/list: "+c.next.Error.String())
	}
	return wrong
}

// atTheDoor is what a client made of a status: whether it shows the error's code, and has its session still.
func (c cell) atTheDoor() string {
	word := "status"
	if c.first.Error != nil && c.first.Error.Code == c.row.code {
		word = "code"
	}
	if c.next.Error != nil || c.next.Tools == 0 {
		word += ", session over"
	}
	return word
}

// fails calls until the error is in time, three times at most: a machine that stalls once is not the gateway's
// fault, and one that is late is late each time.
func fails(t *testing.T, name string, of client, r row) cell {
	t.Helper()
	best := cell{row: r, late: time.Hour}
	for range 3 {
		got := ask(t, name, of, command{Op: "call", Session: r.name, Tool: r.called(), Args: r.args})
		late := time.Duration(got.Ms*float64(time.Millisecond)) - r.due
		if late < best.late || got.Error == nil {
			best.first, best.late = got, late
		}
		if best.late <= slack || got.Error == nil {
			break
		}
	}
	return best
}

func (r row) called() string {
	if r.tool == "" {
		return "echo"
	}
	return r.tool
}

func TestEveryClientSeesEveryClassOfFailure(t *testing.T) {
	s, results := newStage(t, rows()), map[string]map[string]cell{}
	sdks := everySDK(t)
	hops := map[string]*hop{}
	forEach(sdks, func(name string, of client) {
		hops[name] = newHop(t, s.gateway.address)
		for _, r := range s.rows {
			if got := ask(t, name, of, command{Op: "open", Session: r.name, URL: hops[name].url(r.name)}); got.Error != nil {
				t.Errorf("%s, %s: it does not connect: %s", name, r.name, got.Error)
			}
		}
	})
	if t.Failed() {
		return
	}
	early := s.begin(t, sdks)
	s.fail(t)
	forEach(sdks, func(name string, of client) {
		cells := map[string]cell{}
		for _, r := range s.rows {
			if r.early {
				got := <-early[name+r.name]
				cells[r.name] = cell{row: r, first: got.reply, late: got.at.Sub(s.failed) - r.due}
				continue
			}
			cells[r.name] = fails(t, name, of, r)
		}
		locked(func() { results[name] = cells })
	})
	s.mend(t)
	forEach(sdks, func(name string, of client) {
		for _, r := range s.rows {
			c := results[name][r.name]
			c.next = ask(t, name, of, command{Op: "list", Session: r.name})
			locked(func() { results[name][r.name] = c })
		}
	})
	scarce := row{name: "memory", code: -31020, reason: "memory", due: quickly, args: large()}
	shortOfMemory(t, s.upstream, sdks, scarce, results)
	report(t, append(s.rows, scarce), results)
	for name, h := range hops {
		if probes, requests := h.probes(); len(probes) > 0 || requests < len(s.rows) {
			t.Errorf("%s: of %d requests these were for OAuth: %q", name, requests, probes)
		}
		if asked := askedToLogIn(sdks[name]); asked > 0 {
			t.Errorf("%s was asked %d times to log in", name, asked)
		}
	}
}

// shortOfMemory is a row on a gateway of its own, for the memory is that of all routes.
func shortOfMemory(t *testing.T, u *upstream, sdks map[string]client, r row, results map[string]map[string]cell) {
	t.Helper()
	g := newGateway(t, "drain: 1s\nmemory: 32KiB", fmt.Sprintf("  memory: { upstream: %q, upstream_auth: none }\n", u.URL+"/mcp"))
	forEach(sdks, func(name string, of client) {
		if got := ask(t, name, of, command{Op: "open", Session: r.name, URL: "http://" + g.address + "/memory"}); got.Error != nil {
			t.Errorf("%s, memory: it does not connect: %s", name, got.Error)
		}
		c := fails(t, name, of, r)
		c.next = ask(t, name, of, command{Op: "list", Session: r.name})
		locked(func() { results[name][r.name] = c })
	})
}

// begin has every client make the calls that are to be under way when the rows begin to fail.
func (s *stage) begin(t *testing.T, sdks map[string]client) map[string]<-chan timed {
	t.Helper()
	early := map[string]<-chan timed{}
	for name, of := range sdks {
		for _, r := range s.rows {
			if r.early {
				ends, told := of.do(command{Op: "call", Session: r.name, Tool: r.called()}), make(chan timed, 1)
				go func() { told <- timed{<-ends, time.Now()} }()
				early[name+r.name] = told
			}
		}
	}
	eventually(t, "all calls are under way", func() bool { return int(s.upstream.held.Load()) == len(early) })
	return early
}

// A timed is a reply and when it came.
type timed struct {
	reply
	at time.Time
}

var guard sync.Mutex

// locked does one thing at a time.
func locked(do func()) {
	guard.Lock()
	defer guard.Unlock()
	do()
}
