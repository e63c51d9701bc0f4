package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

const (
	theMessage = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	smuggled   = `{"jsonrpc":"2.0","id":2,"method":"smuggled"}`
	aResult    = `{"jsonrpc":"2.0","id":1,"result":{}}`
)

// received are the messages that an upstream got.
type received struct {
	mu       sync.Mutex
	messages []string // under mu
}

func (r *received) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body)
	message := string(body)
	if in.Method != http.MethodPost || in.RequestURI != "/mcp" || in.ContentLength != int64(len(body)) || in.TransferEncoding != nil {
		message = fmt.Sprintf("%s %s %d %v %q", in.Method, in.RequestURI, in.ContentLength, in.TransferEncoding, body)
	}
	r.mu.Lock()
	r.messages = append(r.messages, message)
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, aResult)
}

// taken are the messages since the last time.
func (r *received) taken() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := strings.Join(r.messages, " + ")
	r.messages = nil
	return all
}

// exchange sends raw bytes and, once they have an answer, a last request that ends the connection. It returns the
// statuses of the answers but for the last one's and those of 1xx. Bytes that end in {END} are all that is sent.
func exchange(t *testing.T, address, raw string) (statuses []int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, alone := strings.CutSuffix(raw, "{END}")
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, raw)
		if alone {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
	}()
	answers := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return statuses
		}
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode < 200 || string(body) == "healthy\n" {
			continue
		}
		if statuses = append(statuses, answer.StatusCode); len(statuses) == 1 && !alone {
			<-sent
			_, _ = fmt.Fprintf(conn, "GET /-/healthy HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address)
		}
	}
}

// post is a request as it should be.
func post(host, message string) string {
	return fmt.Sprintf("POST /r HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", host, len(message), message)
}
