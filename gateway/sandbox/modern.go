package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
)

const (
	modernVersion = "2026-07-28"

	// askedState is the requestState of the elicit tool's question. It holds nothing: so a retry may arrive
	// at any server.
	askedState = "go-on-1"
)

// modernFault is what a server of the new era has against a message. Headers may be left out, but none may
// say other than the body does.
func (m *mcp) modernFault(r *request, in message) fault {
	header := r.get("MCP-Protocol-Version")
	version := in.Params.Meta.Version
	if version == "" {
		version = header
	}
	switch {
	case m.options.Era == Legacy, version != modernVersion:
		return m.unsupported(version)
	case header != "" && header != version:
		return mismatch("MCP-Protocol-Version")
	case in.Method == "":
		return fault{http.StatusBadRequest, -32600, "A client sends no responses", ""}
	case len(r.all("Mcp-Method")) > 0 && r.get("Mcp-Method") != in.Method:
		return mismatch("Mcp-Method")
	case in.Method == "tools/call" && len(r.all("Mcp-Name")) > 0 && headerValue(r.get("Mcp-Name")) != in.Params.Name:
		return mismatch("Mcp-Name")
	}
	return fault{}
}

func mismatch(header string) fault {
	return fault{http.StatusBadRequest, -32020, "The header " + header + " does not match the body", ""}
}

// headerValue is what a header says, which may be in base64.
func headerValue(s string) string {
	text, ok := strings.CutPrefix(s, "=?base64?")
	text, closed := strings.CutSuffix(text, "?=")
	if !ok || !closed {
		return s
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return s
	}
	return string(b)
}

// unsupported is the fault of a message in a version that the server does not speak.
func (m *mcp) unsupported(version string) fault {
	data := fmt.Sprintf(`{"supported":[%s],"requested":%s}`, m.supported(), quoted(version))
	return fault{http.StatusBadRequest, -32022, "Unsupported protocol version", data}
}

// supported are the versions that the server speaks, as JSON has them.
func (m *mcp) supported() string {
	switch m.options.Era {
	case Legacy:
		return legacyVersions
	case Modern:
		return quoted(modernVersion)
	}
	return quoted(modernVersion) + "," + legacyVersions
}

func (m *mcp) modernMethod(w *response, in message) {
	const uncached = `,"ttlMs":0,"cacheScope":"private"`
	switch in.Method {
	case "server/discover":
		m.result(w, in, `"supportedVersions":[`+m.supported()+`],"capabilities":{"tools":{}}`+uncached+
			`,"_meta":{"io.modelcontextprotocol/serverInfo":`+m.self()+`}`)
	case "tools/list":
		m.result(w, in, `"tools":[`+toolList()+`]`+uncached)
	default:
		m.fail(w, in, fault{http.StatusNotFound, -32601, "Method not found", ""})
	}
}

// require is modern elicitation: the call ends with a question, and comes again with the answer.
func (m *mcp) require(w *response, in message) {
	w.whole(http.StatusOK, "application/json", fmt.Sprintf(
		`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"input_required","inputRequests":{"go_on":{"method":"elicitation/create","params":%s}},"requestState":%s}}`,
		in.ID, question(), quoted(askedState)))
}

// required finishes a call that came again with the answer.
func (m *mcp) required(w *response, in message) {
	if in.Params.State != askedState || len(in.Params.Replies["go_on"]) == 0 {
		m.fail(w, in, fault{http.StatusBadRequest, -32602, "Not the requestState that was sent, or no answer", ""})
		return
	}
	m.result(w, in, content(string(in.Params.Replies["go_on"])))
}
