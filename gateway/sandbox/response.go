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
	now    time.Time
	id     string // what AWS calls the request
	broken bool   // the connection cannot be used after
}

// refuse answers as AWS's services with JSON answers say no.
func (w *response) refuse(no *refusal) {
	body, err := json.Marshal(map[string]string{"message": no.message})
	if err != nil {
		panic(err) // strings are always JSON
	}
	w.whole(no.status, "application/json", string(body), "x-amzn-errortype", no.kind)
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
	fmt.Fprintf(w.to, "HTTP/1.1 %d %s\r\nDate: %s\r\nx-amzn-requestid: %s\r\n", status, http.StatusText(status), w.now.UTC().Format(http.TimeFormat), w.id)
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
