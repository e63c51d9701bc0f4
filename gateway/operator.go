package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"

	"signet/config"
	"signet/gateway/envelope"
)

// The operator surface. No route may have a name that begins with "-".
const (
	pathHealthy = "/-/healthy"
	pathReady   = "/-/ready"
	pathStatus  = "/-/status"
	pathMetrics = "/-/metrics"
	pathReload  = "/-/reload"
	pathDiff    = "/-/diff"
)

// maxAsk bounds what an operator asks: a path.
const maxAsk = 64 << 10

func isOperator(path string) bool { return path == "/-" || strings.HasPrefix(path, "/-/") }

// serveOperator answers the operator surface on the listeners.
func (g *Gateway) serveOperator(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == pathReload || r.URL.Path == pathDiff {
		refuse(http.StatusForbidden, &envelope.Error{
			Code: envelope.CodeDenied, Reason: "operator_only", Outcome: notSent,
			Message: "this is asked for on the operator socket, not on a listener",
		}).write(w)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		refusal := denied("method", "this path is read with GET")
		refusal.status, refusal.allow = http.StatusMethodNotAllowed, "GET, HEAD"
		refusal.write(w)
		return
	}
	switch {
	case r.URL.Path == pathHealthy:
		writeText(w, http.StatusOK, "healthy\n")
	case r.URL.Path == pathReady && g.draining.Load():
		writeText(w, http.StatusServiceUnavailable, "draining\n")
	case r.URL.Path == pathReady:
		writeText(w, http.StatusOK, "ready\n")
	case r.URL.Path == pathStatus:
		g.writeStatus(w)
	case r.URL.Path == pathMetrics && g.options.Metrics != nil:
		g.options.Metrics.ServeHTTP(w, r)
	default:
		refuse(http.StatusNotFound, &envelope.Error{
			Code: envelope.CodeNoRoute, Reason: "no_such_route", Outcome: notSent,
			Message: "no such page: there are /-/healthy, /-/ready, /-/status and /-/metrics",
		}).write(w)
	}
}

func (g *Gateway) writeStatus(w http.ResponseWriter) {
	body, err := json.MarshalIndent(g.Status(), "", "  ")
	if err != nil {
		panic(err) // a status is plain strings, numbers and times
	}
	writeJSON(w, http.StatusOK, append(body, '\n'))
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a client that left has nobody to tell
}

// Operations are what an operator's socket asks of the program.
type Operations struct {
	// Reload reads the file again and applies it.
	Reload func(context.Context) (Changes, error)

	// Diff says what a reload to the file at an absolute path would do.
	Diff func(ctx context.Context, path string) (Changes, error)
}

// Operator is the handler for the operator's own socket, whose file mode says who may speak: GET
// /-/status, POST /-/reload, and POST /-/diff with {"file": an absolute path}. The two answer 200 with the
// Changes, or 422 with the problems.
func (g *Gateway) Operator(o Operations) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pathStatus, func(w http.ResponseWriter, _ *http.Request) { g.writeStatus(w) })
	mux.HandleFunc("POST "+pathReload, func(w http.ResponseWriter, r *http.Request) {
		changes, err := o.Reload(r.Context())
		writeChanges(w, changes, err)
	})
	mux.HandleFunc("POST "+pathDiff, func(w http.ResponseWriter, r *http.Request) {
		var ask struct{ File string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAsk)).Decode(&ask); err != nil || !filepath.IsAbs(ask.File) {
			writeText(w, http.StatusBadRequest, "a diff is asked for with {\"file\": an absolute path}\n")
			return
		}
		changes, err := o.Diff(r.Context(), ask.File)
		writeChanges(w, changes, err)
	})
	return mux
}

func writeChanges(w http.ResponseWriter, changes Changes, err error) {
	status, answer := http.StatusOK, any(changes)
	if err != nil {
		status, answer = http.StatusUnprocessableEntity, map[string]any{"problems": texts(err)}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // changes and problems are plain strings and numbers
	}
	writeJSON(w, status, append(body, '\n'))
}

// texts is why a config was refused, in lines that a person reads.
func texts(err error) []string {
	var invalid *config.Invalid
	if !errors.As(err, &invalid) {
		return []string{err.Error()}
	}
	var lines []string
	for _, p := range invalid.Problems {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	return lines
}
