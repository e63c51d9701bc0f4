package sandbox

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A response writes one answer.
type response struct {
	to     *bufio.Writer
	now    func() time.Time
	ahead  time.Duration // the server's clock is that much ahead of now
	id     string        // what AWS calls the request
	broken bool          // the connection cannot be used after
}

// refuse answers as AWS's services with JSON answers say no.
func (w *response) refuse(no *refusal) {
	body := marshal(map[string]string{"message": no.message})
	w.whole(no.status, "application/json", body, "x-amzn-errortype", no.kind)
}

// marshal is v as JSON. It is for what always has some.
func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// whole writes an answer at once; header are names and values in turn.
func (w *response) whole(status int, kind, body string, header ...string) {
	w.head(status, header)
	if kind != "" {
		fmt.Fprintf(w.to, "Content-Type: %s\r\n", kind)
	}
	if status != http.StatusNoContent {
		fmt.Fprintf(w.to, "Content-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(w.to, "\r\n%s", body)
	w.flush()
}

func (w *response) head(status int, header []string) {
	fmt.Fprintf(w.to, "HTTP/1.1 %d %s\r\nDate: %s\r\nx-amzn-requestid: %s\r\n", status, http.StatusText(status), w.now().Add(w.ahead).UTC().Format(http.TimeFormat), w.id)
	for i := 0; i+1 < len(header); i += 2 {
		fmt.Fprintf(w.to, "%s: %s\r\n", header[i], header[i+1])
	}
}

// stream begins an event stream.
func (w *response) stream(header ...string) {
	w.head(http.StatusOK, header)
	fmt.Fprint(w.to, "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n")
	w.flush()
}

// event writes one event of a stream.
func (w *response) event(data string) { w.chunk("event: message\ndata: " + data + "\n\n") }

func (w *response) chunk(s string) {
	fmt.Fprintf(w.to, "%x\r\n%s\r\n", len(s), s)
	w.flush()
}

// end ends a stream.
func (w *response) end() {
	fmt.Fprint(w.to, "0\r\n\r\n")
	w.flush()
}

func (w *response) flush() {
	if w.to.Flush() != nil {
		w.broken = true
	}
}
