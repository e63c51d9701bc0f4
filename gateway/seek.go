package gateway

import (
	"net/http"

	"signet/gateway/envelope"
)

// maxSought is the longest body of a refused request that is read for its id. All but a few bytes of it are
// dropped as they come.
const maxSought = 64 << 20

// seek reads on to the id of a request whose body there is no memory to hold: after a 503 Python's SDK 1.x ends
// its session. Where the truth is wanted by status, or the body is far too long, nothing is read.
func (f *refusal) seek(w http.ResponseWriter, r *http.Request, errors string) *refusal {
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
