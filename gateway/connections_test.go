package gateway

import (
	"context"
	"errors"
	"net"
	"testing"
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

func TestADialIsBounded(t *testing.T) {
	cs := newConnections(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}, time.Nanosecond, "")
	if _, err := cs.dial(t.Context(), "tcp", "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
