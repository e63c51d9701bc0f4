package main

import (
	"encoding/json"
	"net/http"
)

// modernVersion is the first protocol version without sessions.
const modernVersion = "2026-07-28"

// An eras serves both eras of the protocol at one URL with a server of each.
type eras struct{ legacy, modern http.Handler }

func (e eras) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
	case modern(r.Header, body):
		e.modern.ServeHTTP(w, r)
	default:
		e.legacy.ServeHTTP(w, r)
	}
}

// modern reports whether a request is of the newer era: its header or its _meta names such a version.
func modern(header http.Header, body []byte) bool {
	var m struct {
		Params struct {
			Meta struct {
				Version string `json:"io.modelcontextprotocol/protocolVersion"`
			} `json:"_meta"`
		}
	}
	_ = json.Unmarshal(body, &m) // what is none names none
	return header.Get("MCP-Protocol-Version") >= modernVersion || m.Params.Meta.Version != ""
}
