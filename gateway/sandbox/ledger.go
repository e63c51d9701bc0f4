package sandbox

import (
	"maps"
	"slices"
	"sync"
)

// A Ledger is what the servers of a sandbox saw. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	calls    map[string]*Entry // by server and call id; under mu
	order    []*Entry          // under mu
	requests map[string]int    // accepted requests by server; under mu
	refused  map[string]int    // by AWS's error type; under mu
	others   int               // under mu
	mixed    int               // under mu
}

// An Entry is one tools/call that came with a call id.
type Entry struct {
	// Call is the id in the arguments, Server the name of the server, and Tool the tool.
	Call, Server, Tool string

	// Identity and AccessKeyID are what the last execution was signed with. Empty: it was not signed.
	Identity, AccessKeyID string

	// Executions is how often the tool ran, and Cancelled how often the client left before it was done.
	Executions, Cancelled int
}

func newLedger() *Ledger {
	return &Ledger{calls: map[string]*Entry{}, requests: map[string]int{}, refused: map[string]int{}}
}

// Calls are all calls, in the order of their first execution.
func (l *Ledger) Calls() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Entry, len(l.order))
	for i, e := range l.order {
		all[i] = *e
	}
	return all
}

// Requests counts the requests that an MCP server did not refuse, by its name.
func (l *Ledger) Requests() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.requests)
}

// Refused counts the requests whose signature MCP servers and STS refused, by AWS's error type. The types are
// those of services with JSON answers, STS's too, whatever MCPOptions.Shape made of them.
func (l *Ledger) Refused() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.refused)
}

// WrongIdentity counts the requests whose signature was good but another identity's than the server's.
func (l *Ledger) WrongIdentity() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.others
}

// Mixed counts the requests whose key belongs to another set than their session token, or than the secret
// that they were signed with.
func (l *Ledger) Mixed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mixed
}

// Twice are the ids of calls that were executed more than once, sorted.
func (l *Ledger) Twice() []string {
	var ids []string
	for _, e := range l.Calls() {
		if e.Executions > 1 {
			ids = append(ids, e.Call)
		}
	}
	slices.Sort(ids)
	return ids
}

func (l *Ledger) request(server string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests[server]++
}

func (l *Ledger) refuse(no *refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[no.kind]++
	if no.other {
		l.others++
	}
	if no.mixed {
		l.mixed++
	}
}

// execute notes that a tool runs.
func (l *Ledger) execute(server, call, tool string, by Credentials) {
	if call == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := server + "\x00" + call
	e := l.calls[key]
	if e == nil {
		e = &Entry{Call: call, Server: server, Tool: tool}
		l.calls[key] = e
		l.order = append(l.order, e)
	}
	e.Executions++
	e.Identity, e.AccessKeyID = by.Identity, by.AccessKeyID
}

// cancel notes that a client left.
func (l *Ledger) cancel(server, call string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.calls[server+"\x00"+call]; e != nil {
		e.Cancelled++
	}
}
