package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnectionsAreClosedAsOneAndNoneComesAfter(t *testing.T) {
	arriving, arrive := make(chan struct{}), make(chan struct{})
	var theirs []net.Conn
	cs := newConnections(func(context.Context, string, string) (net.Conn, error) {
		if len(theirs) == 2 {
			close(arriving)
			<-arrive
		}
		a, b := net.Pipe()
		theirs = append(theirs, b)
		return a, nil
	}, time.Minute, "")
	first, err := cs.dial(t.Context(), "tcp", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cs.dial(t.Context(), "tcp", "x"); err != nil || cs.count() != 2 {
		t.Fatalf("%d open, %v", cs.count(), err)
	}
	if err := first.Close(); err != nil || cs.count() != 1 {
		t.Errorf("%d open after one was closed, %v", cs.count(), err)
	}
	late := make(chan error)
	go func() { _, err := cs.dial(t.Context(), "tcp", "x"); late <- err }()
	<-arriving
	cs.close()
	close(arrive)
	if err := <-late; !errors.Is(err, errPoolClosed) || cs.count() != 0 {
		t.Errorf("one that came late: %v; %d open", err, cs.count())
	}
	for i, c := range theirs {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Errorf("connection %d is open", i)
		}
	}
}

func TestAConnectionOfHTTP2HasOneRequestUntilItHasSaidHowManyItTakes(t *testing.T) {
	long := append([]byte{applicationRecord}, make([]byte, maxAlert)...)
	short := long[:maxAlert]
	for name, test := range map[string]struct {
		writes  [][]byte
		settles bool
	}{
		"no word":                           {nil, false},
		"our own beginning":                 {[][]byte{long}, false},
		"a short record of the handshake":   {[][]byte{short, long}, false},
		"an alert":                          {[][]byte{long, {21, 3, 3}}, false},
		"a short record after we had begun": {[][]byte{long, long, short}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				go func() { _, _ = io.Copy(io.Discard, theirs) }()
				cs := newConnections(func(context.Context, string, string) (net.Conn, error) { return ours, nil }, time.Minute, "")
				dialed, err := cs.dial(t.Context(), "tcp", "x")
				if err != nil {
					t.Fatal(err)
				}
				c := dialed.(*connection)
				if !c.admits() || c.admits() {
					t.Error("the first is not admitted, or another is")
				}
				for _, p := range test.writes {
					if _, err := c.Write(p); err != nil {
						t.Fatal(err)
					}
				}
				if c.admits() != test.settles {
					t.Errorf("settled: %v", !test.settles)
				}
				began := time.Now()
				<-c.settled
				if took := time.Since(began); !c.admits() || !test.settles && took != settling {
					t.Errorf("it settles after %s", took)
				}
				_ = c.Close()
			})
		})
	}
}

func TestADialIsBounded(t *testing.T) {
	cs := newConnections(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, time.Nanosecond, "")
	if _, err := cs.dial(t.Context(), "tcp", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
