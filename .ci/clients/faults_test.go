package clients

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A misdeed answers a tools/call as no upstream should.
type misdeed func(u *upstream, w http.ResponseWriter, r *http.Request, id json.RawMessage, call string)

const progressEvent = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"x\"}}\n\n"

// says answers with a status, headers and a body.
func says(status int, kind, body string, headers ...string) misdeed {
	return func(_ *upstream, w http.ResponseWriter, _ *http.Request, _ json.RawMessage, _ string) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// streams begins an event stream and goes on as then says.
func streams(first string, then func(w http.ResponseWriter, r *http.Request)) misdeed {
	return func(_ *upstream, w http.ResponseWriter, r *http.Request, _ json.RawMessage, _ string) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, first)
		_ = http.NewResponseController(w).Flush()
		then(w, r)
	}
}

// refuses is AWS saying no.
func refuses(status int, kind, message string) misdeed {
	body, _ := json.Marshal(map[string]string{"message": message})
	return says(status, "application/json", string(body), "X-Amzn-Errortype", kind, "X-Amzn-Requestid", "req-1")
}

func stays(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func hang(_ *upstream, _ http.ResponseWriter, r *http.Request, _ json.RawMessage, _ string) {
	<-r.Context().Done()
}

// hold is under way until it is released.
func hold(u *upstream, w http.ResponseWriter, r *http.Request, id json.RawMessage, _ string) {
	u.held.Add(1)
	defer u.held.Add(-1)
	select {
	case <-u.release:
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"content":[]}}`, id)
	case <-r.Context().Done():
	}
}

// watch notes when the client of a call has gone: before the first event, or after it.
func watch(after bool) misdeed {
	return func(u *upstream, w http.ResponseWriter, r *http.Request, _ json.RawMessage, call string) {
		if after {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, progressEvent)
			_ = http.NewResponseController(w).Flush()
		}
		u.held.Add(1)
		<-r.Context().Done()
		u.left <- left{call, time.Now()}
		u.held.Add(-1)
	}
}

// faults are the tools that fail, by name.
func faults() map[string]misdeed {
	return map[string]misdeed{
		"hang":         hang,
		"hold":         hold,
		"watch-before": watch(false),
		"watch-after":  watch(true),
		"stall": func(_ *upstream, w http.ResponseWriter, r *http.Request, _ json.RawMessage, _ string) {
			says(200, "application/json", `{"jsonrpc":`)(nil, w, r, nil, "")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"forever": streams(progressEvent, func(w http.ResponseWriter, r *http.Request) {
			every := time.NewTicker(100 * time.Millisecond)
			defer every.Stop()
			for r.Context().Err() == nil {
				<-every.C
				_, _ = io.WriteString(w, progressEvent)
				_ = http.NewResponseController(w).Flush()
			}
		}),
		"redirect":    says(307, "text/html", "moved", "Location", "http://127.0.0.1:1/elsewhere"),
		"html":        says(200, "text/html", "<html>hello"),
		"plain":       says(200, "text/plain", "hello"),
		"truncated":   says(200, "application/json", `{"jsonrpc":"2.0","id":1,"resu`, "Content-Length", "1000"),
		"encoding":    says(200, "application/json", "\x1f\x8b", "Content-Encoding", "gzip"),
		"status":      says(500, "text/html", "<html>oops"),
		"login":       says(401, "application/json", `{"message":"who are you?"}`, "WWW-Authenticate", "Bearer"),
		"forbidden":   says(403, "application/json", `{"message":"Forbidden"}`),
		"throttled":   says(429, "application/json", `{"message":"slow down"}`, "Retry-After", "7"),
		"unavailable": says(503, "text/plain", "later", "Retry-After", "7"),
		"reset":       streams(progressEvent, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
		"eof":         streams(progressEvent, func(http.ResponseWriter, *http.Request) {}),
		"silent":      streams(progressEvent, stays),
		"gone": func(*upstream, http.ResponseWriter, *http.Request, json.RawMessage, string) {
			panic(http.ErrAbortHandler)
		},
		"large":        streams("data: "+strings.Repeat("x", 18<<20), stays),
		"denied":       refuses(403, "AccessDeniedException", "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: svc:Do"),
		"signature":    refuses(403, "InvalidSignatureException", "The request signature we calculated does not match"),
		"expired":      refuses(403, "ExpiredTokenException", "The security token included in the request is expired"),
		"unrecognized": refuses(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
	}
}
