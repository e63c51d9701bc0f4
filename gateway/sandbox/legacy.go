package sandbox

import (
	"context"
	"fmt"
	"net/http"
)

const (
	legacyVersion  = "2025-11-25" // the newest
	legacyVersions = `"2025-11-25","2025-06-18","2025-03-26"`
)

// legacyFault is what a server of the old era has against a message.
func (m *mcp) legacyFault(r *request, in message) fault {
	version := r.get("MCP-Protocol-Version")
	session := r.get("Mcp-Session-Id")
	switch {
	case m.options.Era == Modern:
		return m.unsupported(in.Params.Version)
	case in.Method == "initialize":
		return fault{}
	case version != "" && !spokenBefore(version):
		return fault{http.StatusBadRequest, -32600, "Unsupported protocol version", ""}
	case m.options.Sessions && session == "":
		return fault{http.StatusBadRequest, -32600, "A session is required", ""}
	case !m.lasts(session):
		return noSession()
	}
	return fault{}
}

func noSession() fault { return fault{http.StatusNotFound, -32001, "Session not found", ""} }

func spokenBefore(version string) bool {
	return version == legacyVersion || version == "2025-06-18" || version == "2025-03-26"
}

// lasts reports whether a session may be used: it was not ended, and was begun here if sessions are required.
func (m *mcp) lasts(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	ended, known := m.sessions[id]
	if !known {
		return !m.options.Sessions
	}
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

func (m *mcp) legacyMethod(w *response, in message) {
	switch in.Method {
	case "initialize":
		m.initialize(w, in)
	case "ping":
		m.result(w, in, "")
	case "tools/list":
		m.result(w, in, `"tools":[`+toolList()+`]`)
	default:
		m.fail(w, in, fault{http.StatusOK, -32601, "Method not found", ""})
	}
}

func (m *mcp) initialize(w *response, in message) {
	session := fmt.Sprintf("session-%s-%d", m.options.Name, m.number())
	m.mu.Lock()
	m.sessions[session] = make(chan struct{})
	m.mu.Unlock()
	version := legacyVersion
	if spokenBefore(in.Params.Version) {
		version = in.Params.Version
	}
	w.whole(http.StatusOK, "application/json",
		resultOf(in, `"protocolVersion":`+quoted(version)+`,"capabilities":{"tools":{}},"serverInfo":`+m.self()), "Mcp-Session-Id", session)
}

// stand is the standing stream of a session: it says nothing, and lasts until the session or the client ends.
func (m *mcp) stand(ctx context.Context, r *request, w *response) {
	id := r.get("Mcp-Session-Id")
	if !m.lasts(id) {
		m.fail(w, message{}, noSession())
		return
	}
	m.mu.Lock()
	ended := m.sessions[id] // nil, for a session of nobody's: it lasts
	m.mu.Unlock()
	w.stream()
	select {
	case <-ended:
		w.end()
	case <-ctx.Done():
		w.broken = true
	}
}

// end ends a session.
func (m *mcp) end(r *request, w *response) {
	m.mu.Lock()
	ended, known := m.sessions[r.get("Mcp-Session-Id")]
	m.mu.Unlock()
	if !known || !m.close(ended) {
		m.fail(w, message{}, noSession())
		return
	}
	w.whole(http.StatusNoContent, "", "")
}

// close closes a session's channel, and reports whether it was open.
func (m *mcp) close(ended chan struct{}) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-ended:
		return false
	default:
		close(ended)
		return true
	}
}

// replied hands a client's answer to the tool that asked.
func (m *mcp) replied(in message) {
	answer := in.Result
	if len(answer) == 0 {
		answer = in.Error
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	id := string(in.ID)
	if reply := m.asked[id]; reply != nil {
		reply <- string(answer) // it has room for the only answer
		delete(m.asked, id)
	}
}

// ask is legacy elicitation: the question goes out on the stream of the call, and the answer comes as a
// message of its own. It reports false when the client left.
func (m *mcp) ask(ctx context.Context, w *response, in message) bool {
	reply := make(chan string, 1)
	id := fmt.Sprintf(`"ask-%d"`, m.number())
	m.mu.Lock()
	m.asked[id] = reply
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.asked, id)
		m.mu.Unlock()
	}()
	w.stream()
	w.event(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"elicitation/create","params":%s}`, id, question()))
	select {
	case answer := <-reply:
		w.event(resultOf(in, content(answer)))
		w.end()
		return true
	case <-ctx.Done():
		return false
	}
}

// question is what the elicit tool asks.
func question() string {
	return `{"message":"Go on?","requestedSchema":{"type":"object","properties":{}}}`
}
