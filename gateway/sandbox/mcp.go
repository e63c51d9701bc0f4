package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// The protocol eras that a server may speak.
const (
	Both   = ""       // one URL for old and new clients
	Legacy = "legacy" // initialize and sessions: 2025-03-26 to 2025-11-25
	Modern = "modern" // no sessions: 2026-07-28
)

// The shapes of a refusal.
const (
	Plain      = ""            // as most services refuse
	AWSMCP     = "aws-mcp"     // as the AWS MCP Server: 401 for a signature that is not good
	APIGateway = "api-gateway" // as API Gateway: AccessDeniedException for a key that it does not know
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

	// Sessions makes a legacy message name a session that was begun here. Without it any but an ended one is
	// taken, and none as well.
	Sessions bool

	// Stream answers every tools/call with an event stream, not only those of tools that need one.
	Stream bool

	// Shape is how the server refuses: Plain, AWSMCP or APIGateway.
	Shape string

	// Clock is how far the server's clock is ahead. Lives are counted by the sandbox's.
	Clock time.Duration

	// UnsignedPayload allows bodies that are not part of the signature.
	UnsignedPayload bool

	// RawPath verifies a path with its dot segments and double slashes, as S3 does. Others resolve them first.
	RawPath bool
}

// An mcp is an MCP server behind a signature.
type mcp struct {
	*Server
	options  MCPOptions
	verifier verifier

	mu       sync.Mutex
	sessions map[string]chan struct{} // closed when one ends; under mu
	asked    map[string]chan string   // questions to clients, by id; under mu
	next     int                      // under mu
}

// MCP makes an MCP server. It takes requests once its URL was asked for, or on Serve's listeners, and on any
// path.
func (s *Sandbox) MCP(o MCPOptions) *Server {
	m := &mcp{
		options: o, sessions: map[string]chan struct{}{}, asked: map[string]chan string{},
		verifier: verifier{
			sandbox: s, service: o.Service, region: o.Region, identity: o.Identity,
			offset: o.Clock, unsigned: o.UnsignedPayload, raw: o.RawPath,
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
		Name      string                     `json:"name"`
		Version   string                     `json:"protocolVersion"`
		Arguments json.RawMessage            `json:"arguments"`
		Replies   map[string]json.RawMessage `json:"inputResponses"`
		State     string                     `json:"requestState"`
		Meta      struct {
			Version  string          `json:"io.modelcontextprotocol/protocolVersion"`
			Progress json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`

	modern bool // it is one of the modern era
}

// A fault is what is wrong with a message, as it is answered.
type fault struct {
	status, code int
	text, data   string // data is JSON, or empty
}

func (m *mcp) answer(ctx context.Context, r *request, w *response) {
	w.ahead = m.options.Clock
	var caller Credentials
	if m.options.Service != "" {
		set, no := m.verifier.verify(r)
		if no != nil {
			m.sandbox.ledger.refuse(no)
			w.refuse(no.shaped(m.options.Shape))
			return
		}
		caller = set.Credentials
	}
	m.sandbox.ledger.request(m.options.Name)
	switch {
	case r.method == http.MethodPost:
		m.post(ctx, r, w, caller)
	case m.options.Era == Modern || r.get("MCP-Protocol-Version") >= modernVersion:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "POST")
	case r.method == http.MethodGet:
		m.stand(ctx, r, w)
	case r.method == http.MethodDelete:
		m.end(r, w)
	default:
		w.whole(http.StatusMethodNotAllowed, "", "", "Allow", "POST, GET, DELETE")
	}
}

func (m *mcp) post(ctx context.Context, r *request, w *response, caller Credentials) {
	var in message
	if err := json.Unmarshal(r.body, &in); err != nil {
		m.fail(w, message{}, fault{http.StatusBadRequest, -32700, "Parse error", ""})
		return
	}
	// "initialize" is how a client says that it is of the old era, whatever else it says.
	in.modern = in.Method != "initialize" && (r.get("MCP-Protocol-Version") >= modernVersion || in.Params.Meta.Version != "")
	check := m.legacyFault
	if in.modern {
		check = m.modernFault
	}
	if wrong := check(r, in); wrong.code != 0 {
		m.fail(w, in, wrong)
		return
	}
	switch {
	case in.Method == "":
		m.replied(in)
		w.whole(http.StatusAccepted, "", "")
	case len(in.ID) == 0:
		w.whole(http.StatusAccepted, "", "")
	case in.Method == "tools/call":
		m.call(ctx, w, in, caller)
	case in.modern:
		m.modernMethod(w, in)
	default:
		m.legacyMethod(w, in)
	}
}

// number is the next of the server's own ids.
func (m *mcp) number() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next++
	return m.next
}

// self is what the server says of itself.
func (m *mcp) self() string { return `{"name":` + quoted(m.options.Name) + `,"version":"1"}` }

// result answers with a result; fields is what stands in it.
func (m *mcp) result(w *response, in message, fields string) {
	if m.options.Stream && in.Method == "tools/call" {
		w.stream()
		w.event(resultOf(in, fields))
		w.end()
		return
	}
	w.whole(http.StatusOK, "application/json", resultOf(in, fields))
}

// resultOf is a result; a modern one is complete.
func resultOf(in message, fields string) string {
	switch {
	case in.modern && fields == "":
		fields = `"resultType":"complete"`
	case in.modern:
		fields = `"resultType":"complete",` + fields
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{%s}}`, in.ID, fields)
}

func (m *mcp) fail(w *response, in message, wrong fault) {
	id, data := string(in.ID), ""
	if id == "" {
		id = "null"
	}
	if wrong.data != "" {
		data = `,"data":` + wrong.data
	}
	w.whole(wrong.status, "application/json", fmt.Sprintf(
		`{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%s%s}}`, id, wrong.code, quoted(wrong.text), data))
}

// quoted is s as a string of JSON.
func quoted(s string) string { return marshal(s) }
