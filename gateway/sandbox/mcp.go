package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The protocol eras that a server may speak.
const (
	Both   = ""       // one URL for old and new clients
	Legacy = "legacy" // initialize and sessions: 2025-03-26 to 2025-11-25
	Modern = "modern" // no sessions: 2026-07-28
)

const (
	legacyVersion = "2025-11-25"
	modernVersion = "2026-07-28"
)

// MCPOptions shape an MCP server. The zero value serves both eras to anyone, unsigned.
type MCPOptions struct {
	// Name is what the ledger calls the server.
	Name string

	// Service and Region are what requests must be signed for. Service empty: they need no signature.
	Service, Region string

	// Identity is who may call. Empty: anyone AWS knows.
	Identity string

	// Era is Both, Legacy or Modern.
	Era string

	// Clock is how far the server's clock is ahead.
	Clock time.Duration

	// UnsignedPayload allows bodies that are not part of the signature.
	UnsignedPayload bool
}

// An mcp is an MCP server behind a signature.
type mcp struct {
	*Server
	options  MCPOptions
	verifier verifier

	mu       sync.Mutex
	sessions map[string]bool        // true while they last; under mu
	asked    map[string]chan string // questions to clients, by id; under mu
	next     int                    // under mu
}

// MCP starts an MCP server.
func (s *Sandbox) MCP(o MCPOptions) *Server {
	m := &mcp{
		options: o, sessions: map[string]bool{}, asked: map[string]chan string{},
		verifier: verifier{
			sandbox: s, service: o.Service, region: o.Region, identity: o.Identity,
			offset: o.Clock, unsigned: o.UnsignedPayload,
		},
	}
	if o.Identity != "" {
		s.Identity(o.Identity)
	}
	m.Server = s.newServer(m.answer)
	return m.Server
}

// A message is a JSON-RPC message as the server takes it apart.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		Version   string          `json:"protocolVersion"`
		Arguments json.RawMessage `json:"arguments"`
		Meta      struct {
			Version string `json:"io.modelcontextprotocol/protocolVersion"`
		} `json:"_meta"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
}

func (m *mcp) answer(ctx context.Context, r *request, w *response) {
	var caller Credentials
	if m.options.Service != "" {
		var no *refusal
		if caller, no = m.verifier.verify(r); no != nil {
			m.sandbox.ledger.refuse(no)
			w.now = w.now.Add(m.options.Clock)
			body, _ := json.Marshal(map[string]string{"message": no.message})
			w.whole(no.status, "application/json", string(body), "x-amzn-errortype", no.kind, "x-amzn-requestid", "sandbox")
			return
		}
	}
	m.sandbox.ledger.request(m.options.Name)
	modern := r.get("MCP-Protocol-Version") >= modernVersion
	switch {
	case r.method == http.MethodPost:
		m.post(ctx, r, w, caller, modern)
	case modern || m.options.Era == Modern:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "POST")
	case r.method == http.MethodGet:
		w.stream()
		<-ctx.Done()
		w.broken = true
	case r.method == http.MethodDelete:
		m.mu.Lock()
		m.sessions[r.get("Mcp-Session-Id")] = false
		m.mu.Unlock()
		w.whole(http.StatusNoContent, "", "")
	default:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "POST, GET, DELETE")
	}
}

func (m *mcp) post(ctx context.Context, r *request, w *response, caller Credentials, modern bool) {
	var in message
	if err := json.Unmarshal(r.body, &in); err != nil {
		w.whole(http.StatusBadRequest, "application/json", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`)
		return
	}
	modern = modern || in.Params.Meta.Version >= modernVersion
	switch {
	case !modern && in.Method != "initialize" && m.ended(r.get("Mcp-Session-Id")):
		m.fail(w, in, http.StatusNotFound, -32001, "Session not found")
	case modern && m.options.Era == Legacy, !modern && m.options.Era == Modern:
		m.fail(w, in, http.StatusBadRequest, -32022, "Unsupported protocol version")
	case in.Method == "":
		m.replied(in)
		w.whole(http.StatusAccepted, "", "")
	case len(in.ID) == 0:
		w.whole(http.StatusAccepted, "", "")
	case in.Method == "tools/call":
		m.call(ctx, w, in, caller, modern)
	default:
		m.method(w, in, modern)
	}
}

// ended reports whether a session was ended.
func (m *mcp) ended(session string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	lasts, known := m.sessions[session]
	return known && !lasts
}

// method answers everything but a tool call.
func (m *mcp) method(w *response, in message, modern bool) {
	switch {
	case in.Method == "initialize" && !modern:
		m.initialize(w, in)
	case in.Method == "server/discover" && modern:
		m.result(w, in, modern, fmt.Sprintf(`"supportedVersions":["%s"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"`, modernVersion))
	case in.Method == "ping" && !modern:
		m.result(w, in, modern, "")
	case in.Method == "tools/list":
		m.result(w, in, modern, `"tools":[`+toolList()+`]`)
	case modern:
		m.fail(w, in, http.StatusNotFound, -32601, "Method not found")
	default:
		m.fail(w, in, http.StatusOK, -32601, "Method not found")
	}
}

func (m *mcp) initialize(w *response, in message) {
	m.mu.Lock()
	m.next++
	session := fmt.Sprintf("session-%s-%d", m.options.Name, m.next)
	m.sessions[session] = true
	m.mu.Unlock()
	version := legacyVersion
	if v := in.Params.Version; v == "2025-03-26" || v == "2025-06-18" {
		version = v
	}
	w.whole(http.StatusOK, "application/json", fmt.Sprintf(
		`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"%s","capabilities":{"tools":{}},"serverInfo":{"name":"%s","version":"1"}}}`,
		in.ID, version, m.options.Name), "Mcp-Session-Id", session)
}

// replied hands a client's answer to the tool that asked.
func (m *mcp) replied(in message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := string(in.ID)
	if reply := m.asked[id]; reply != nil {
		reply <- string(in.Result) // it has room for the only answer
		delete(m.asked, id)
	}
}

// result answers with a result; fields is what stands in it.
func (m *mcp) result(w *response, in message, modern bool, fields string) {
	w.whole(http.StatusOK, "application/json", resultOf(in, modern, fields))
}

func resultOf(in message, modern bool, fields string) string {
	if modern {
		fields = strings.TrimSuffix(`"resultType":"complete",`+fields, ",")
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{%s}}`, in.ID, fields)
}

func (m *mcp) fail(w *response, in message, status, code int, text string) {
	id := string(in.ID)
	if id == "" {
		id = "null"
	}
	w.whole(status, "application/json", fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q}}`, id, code, text))
}
