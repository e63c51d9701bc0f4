package bulkhead

import (
	"errors"
	"sync"
	"testing"
)

func TestMemoryShedsWhatDoesNotFit(t *testing.T) {
	m := NewMemory(100)
	for _, step := range []struct {
		take, give, used int64
		sheds            uint64
	}{
		{take: 60, used: 60},
		{take: 41, used: 60, sheds: 1},
		{take: 40, used: 100, sheds: 1},
		{take: 1, used: 100, sheds: 2},
		{take: 0, used: 100, sheds: 2},
		{give: 60, take: 61, used: 40, sheds: 3},
		{take: 60, used: 100, sheds: 3},
		{take: 1 << 62, used: 100, sheds: 4},
	} {
		m.Give(step.give)
		before := m.Sheds()
		err := m.Take(step.take)
		shed, refused := errors.AsType[*Shed](err)
		if refused != (m.Sheds() > before) || refused && shed.Reason != OutOfMemory || !refused && err != nil {
			t.Errorf("%+v: %v", step, err)
		}
		if m.Used() != step.used || m.Sheds() != step.sheds {
			t.Errorf("%+v: %d used, %d sheds", step, m.Used(), m.Sheds())
		}
	}
}

func TestMemoryTakesNoMoreAboveALoweredLimit(t *testing.T) {
	m := NewMemory(100)
	if m.Take(80) != nil {
		t.Fatal("80 of 100 do not fit")
	}
	m.Adjust(50)
	if m.Take(1) == nil {
		t.Error("81 fit in 50")
	}
	m.Give(80)
	if m.Take(50) != nil || m.Take(1) == nil {
		t.Errorf("%d of 50 are taken", m.Used())
	}
}

func TestMemoryIsNeverOverdrawnByManyAtOnce(t *testing.T) {
	m := NewMemory(1000)
	var takers sync.WaitGroup
	for range 32 {
		takers.Go(func() {
			for range 2000 {
				if m.Take(300) != nil {
					continue
				}
				if used := m.Used(); used > 1000 || used < 300 {
					t.Errorf("%d of 1000 are taken", used)
				}
				m.Give(300)
			}
		})
	}
	takers.Wait()
	if m.Used() != 0 {
		t.Errorf("%d are still taken", m.Used())
	}
}
