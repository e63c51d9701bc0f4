package gateway

import (
	"mime"
	"net/http"

	"signet/config"
	"signet/gateway/envelope"
)

// maxSought is the longest body of a refused request that is read for its id. All but a few bytes of it are
// dropped as they come.
const maxSought = 64 << 20

// seek looks for the id of a request to a route that is not there, so that its client is told so in words: of a
// 404 the Go and Python SDKs make the end of a session, and no SDK shows its body as what it is. Only a path
// that may be a route's is worth it.
func (f *refusal) seek(w http.ResponseWriter, r *http.Request) *refusal {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if f.status == http.StatusNotFound && r.Method == http.MethodPost && err == nil && kind == "application/json" && config.IsName(routeName(r)) {
		f.id = sought(w, r)
	}
	return f
}

// over reads on to the id of a request whose body is not to be held: after a 413 the session is over in the Go
// SDK, and in Python's 1.x after a 503 too. Where the truth is wanted by status, or the body is far too long,
// nothing is read.
func (f *refusal) over(w http.ResponseWriter, r *http.Request, errors string) *refusal {
	if errors != "http" {
		f.id = sought(w, r)
	}
	if f.id == nil {
		w.Header().Set("Connection", "close") // or net/http reads on
	}
	return f
}

// sought reads a body for its id at the pace that every body must keep. Nil: it has none, or is not read.
func sought(w http.ResponseWriter, r *http.Request) []byte {
	if r.ContentLength <= 0 || r.ContentLength > maxSought {
		return nil
	}
	coming := paced(w, r.Body)
	id := envelope.SeekID(coming)
	if id == nil {
		coming.halt()
		return nil
	}
	coming.stop()
	return id
}
