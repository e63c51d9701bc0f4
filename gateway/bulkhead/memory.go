package bulkhead

import (
	"fmt"
	"sync/atomic"
)

// A Memory is how much the buffers of all calls may hold together. It sheds and never waits: a call that
// waits with a full buffer would hold what it waits for. Make it with NewMemory; it is safe for concurrent
// use.
type Memory struct {
	limit, used atomic.Int64
	sheds       atomic.Uint64
}

// NewMemory makes a Memory of that many bytes.
func NewMemory(limit int64) *Memory {
	m := &Memory{}
	m.limit.Store(limit)
	return m
}

// Adjust sets another limit. What is taken stays taken.
func (m *Memory) Adjust(limit int64) { m.limit.Store(limit) }

// Take takes n bytes, or none and returns a *Shed. The caller gives back what it took, as many bytes and not
// more.
func (m *Memory) Take(n int64) error {
	for {
		used, limit := m.used.Load(), m.limit.Load()
		if n > limit-used {
			m.sheds.Add(1)
			return &Shed{
				Reason:  OutOfMemory,
				Message: fmt.Sprintf("%d bytes more do not fit: %d of %d are taken by other calls", n, used, limit),
			}
		}
		if m.used.CompareAndSwap(used, used+n) {
			return nil
		}
	}
}

// Give gives n bytes back.
func (m *Memory) Give(n int64) { m.used.Add(-n) }

// Used is how many bytes are taken.
func (m *Memory) Used() int64 { return m.used.Load() }

// Sheds is how many times there was not enough.
func (m *Memory) Sheds() uint64 { return m.sheds.Load() }
