package gateway

import (
	"io"

	"signet/gateway/bulkhead"
)

// uncounted is how much of an answer or an event is held without being counted. It keeps a small event of a
// call that was executed from being lost because of the large ones of others.
const uncounted = 64 << 10

// A tally is what one call's buffers hold of the memory of all. It is used by one goroutine.
type tally struct {
	memory *bulkhead.Memory
	taken  int64
}

// take counts n bytes more, or is a *bulkhead.Shed.
func (t *tally) take(n int64) error {
	if err := t.memory.Take(n); err != nil {
		return err
	}
	t.taken += n
	return nil
}

// keep gives back what was taken beyond n bytes.
func (t *tally) keep(n int64) {
	if n < t.taken {
		t.memory.Give(t.taken - n)
		t.taken = n
	}
}

// A heldBody counts what is read and not passed on yet, but for its first free bytes. Where there is no memory
// for it Read fails with a *bulkhead.Shed; what was read until then is there.
type heldBody struct {
	io.Reader
	tally *tally
	base  int64 // what the tally had taken before
	free  int64
	size  int64
}

func newHeldBody(r io.Reader, t *tally, free int64) *heldBody {
	return &heldBody{Reader: r, tally: t, base: t.taken, free: free}
}

// Read reads and counts.
func (h *heldBody) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.size += int64(n)
	if more := h.counted() - h.tally.taken; more > 0 {
		if shed := h.tally.take(more); shed != nil {
			return n, shed
		}
	}
	return n, err
}

// passed notes that n bytes are not held any more.
func (h *heldBody) passed(n int) {
	h.size -= int64(n)
	h.tally.keep(h.counted())
}

func (h *heldBody) counted() int64 { return h.base + max(0, h.size-h.free) }
