package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"signet/config"
)

// A framed is an HTTP/2 upstream that is played frame by frame: what net/http's server would never do.
type framed struct {
	route  config.Route
	asked  atomic.Int32 // requests that were read whole
	opened atomic.Int32 // connections

	begun func(c *framedConn, stream uint32) // plays a request that has no body
}

// A framedConn is one connection to it.
type framedConn struct {
	*http2.Framer
	of   *framed
	pre  uint32 // the last stream that was played before the one that is
	gone bool   // it has said which its last stream is
}

// play serves an upstream at https://name which has each request, read whole, played.
func play(t *testing.T, n *network, name string, request func(c *framedConn, stream uint32, body []byte)) *framed {
	t.Helper()
	pair, certFile, _ := certify(t, time.Now().Add(24*time.Hour))
	f := &framed{route: plain("https://" + name + "/mcp")}
	f.route.TLS.CAFile, f.route.TLS.ServerName = certFile, "127.0.0.1"
	l := n.listen(t, net.JoinHostPort(name, "443"))
	var busy sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	busy.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.opened.Add(1)
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			busy.Go(func() {
				later := postpone(conn)
				defer close(later.queue)
				f.converse(tls.Server(later, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}}), request)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		busy.Wait()
	})
	return f
}

// A postponed is a connection that is written to in the background. A pipe takes a write only when its peer reads, and
// the two ends of HTTP/2 write when they like.
type postponed struct {
	net.Conn
	queue chan []byte
}

func postpone(conn net.Conn) *postponed {
	p := &postponed{conn, make(chan []byte, 1<<10)}
	go func() {
		for b := range p.queue {
			_, _ = conn.Write(b) // of a peer that has gone
		}
		_ = conn.Close()
	}()
	return p
}

func (p *postponed) Write(b []byte) (int, error) {
	p.queue <- bytes.Clone(b)
	return len(b), nil
}

// An unhurried listener has its connections written to in the background.
type unhurried struct{ net.Listener }

func (l unhurried) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &ending{postponed: postpone(conn)}, nil
}

// An ending connection writes what it was given before it closes.
type ending struct {
	*postponed
	once sync.Once
}

func (c *ending) Close() error {
	c.once.Do(func() { close(c.queue) })
	return nil
}

// converse reads requests until the connection ends.
func (f *framed) converse(conn *tls.Conn, request func(c *framedConn, stream uint32, body []byte)) {
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	c := &framedConn{Framer: http2.NewFramer(conn, conn), of: f}
	_ = c.WriteSettings()
	bodies := map[uint32][]byte{}
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = c.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				_ = c.WritePing(true, frame.Data)
			}
		case *http2.GoAwayFrame:
			return
		case *http2.HeadersFrame:
			if frame.StreamEnded() && f.begun != nil {
				f.begun(c, frame.StreamID)
			}
		case *http2.DataFrame:
			id := frame.StreamID
			bodies[id] = append(bodies[id], frame.Data()...)
			if len(frame.Data()) > 0 {
				_ = c.WriteWindowUpdate(0, uint32(len(frame.Data())))
			}
			if frame.StreamEnded() {
				if c.gone {
					continue // what it said that it did nothing with
				}
				f.asked.Add(1)
				request(c, id, bodies[id])
				delete(bodies, id)
				c.pre = max(c.pre, id)
			}
		}
	}
}

// goAway says that the streams up to last are the last that it takes.
func (c *framedConn) goAway(last uint32, code http2.ErrCode, words string) {
	c.gone = true
	_ = c.WriteGoAway(last, code, []byte(words))
}

// answer answers a request with JSON.
func (c *framedConn) answer(stream uint32, body string) {
	c.head(stream, "application/json")
	_ = c.WriteData(stream, true, []byte(body))
}

// head begins an answer.
func (c *framedConn) head(stream uint32, kind string) {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	_ = e.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = e.WriteField(hpack.HeaderField{Name: "content-type", Value: kind})
	_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true})
}
