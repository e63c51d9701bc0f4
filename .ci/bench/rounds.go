package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// noisy is the share of a round that other programs may have had of the measured CPU. A noisier round is played
// again, and the quietest of three counts.
const noisy = 0.05

// A score is what one round of one contestant came to.
type score struct {
	cost  time.Duration // CPU a call
	rate  float64       // calls a second
	noise float64       // what share of the round other programs had of its CPU
}

// A series is the rounds of several contestants, played in turn.
type series struct {
	settings
	ids    *atomic.Int64
	scores map[string][]score // by contestant's name
	order  []string
}

func newSeries(s settings, ids *atomic.Int64) *series {
	return &series{settings: s, ids: ids, scores: map[string][]score{}}
}

// play plays every round, one contestant after the other within each. The first is not counted.
func (s *series) play(sh shape, contestants ...*contestant) error {
	for _, c := range contestants {
		s.order = append(s.order, c.name)
	}
	for n := range s.rounds + 1 {
		for _, c := range contestants {
			got, err := s.quietest(sh, c)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", c.name, sh.name, err)
			}
			if n > 0 {
				s.scores[c.name] = append(s.scores[c.name], got)
			}
		}
	}
	return nil
}

// quietest plays a round, anew while it is noisy.
func (s *series) quietest(sh shape, c *contestant) (best score, err error) {
	for try := range 3 {
		got, err := s.once(sh, c)
		if err != nil {
			return best, err
		}
		if try == 0 || got.noise < best.noise {
			best = got
		}
		if best.noise <= noisy {
			break
		}
	}
	return best, nil
}

func (s *series) once(sh shape, c *contestant) (score, error) {
	crew, err := newCrew(c.target, sh, s.callers, s.ids)
	if err != nil {
		return score{}, err
	}
	defer crew.close()
	busy, cpu, began := busyTime(), time.Duration(0), time.Now()
	if cpu, err = c.cpu(); err != nil {
		return score{}, err
	}
	calls, err := crew.work(s.round)
	if err != nil {
		return score{}, err
	}
	took := time.Since(began)
	after, err := c.cpu()
	if err != nil {
		return score{}, err
	}
	cpu = after - cpu
	got := score{cost: cpu / time.Duration(calls), rate: float64(calls) / took.Seconds()}
	if c.command != nil {
		got.noise = max(0, float64(busyTime()-busy-cpu)/float64(took))
	}
	return got, nil
}

// busyTime is how long the measured CPU has been in use, by whatever program. Zero: programs are not kept to
// one, and what others use cannot be told.
func busyTime() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil || !pins() {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, " ")
		if name != "cpu"+measuredCPU {
			continue
		}
		var user, nice, system, idle, wait, irq, soft, steal int64
		if _, err := fmt.Sscan(rest, &user, &nice, &system, &idle, &wait, &irq, &soft, &steal); err != nil {
			return 0
		}
		return time.Duration(user+nice+system+irq+soft+steal) * (time.Second / 100)
	}
	return 0
}

// each is a figure of every round of a contestant.
func (s *series) each(name string, of func(score) float64) []float64 {
	figures := make([]float64, 0, len(s.scores[name]))
	for _, one := range s.scores[name] {
		figures = append(figures, of(one))
	}
	return figures
}

// ratio is how a contestant's figure stands to another's: taken within each round, then the median. It is false
// when one of them did not take part.
func (s *series) ratio(name, to string, of func(score) float64) (float64, bool) {
	over, under := s.each(name, of), s.each(to, of)
	if len(over) == 0 || len(over) != len(under) {
		return 0, false
	}
	ratios := make([]float64, len(over))
	for i := range over {
		ratios[i] = over[i] / under[i]
	}
	return median(ratios), true
}

// Figures of a score.
func cost(s score) float64  { return float64(s.cost.Nanoseconds()) / 1000 }
func rate(s score) float64  { return s.rate }
func noise(s score) float64 { return s.noise }

// median is the middle of figures, of which there is one at least.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is the median of figures with the least and the most.
func spread(figures []float64) string {
	return fmt.Sprintf("%.1f (%.1f-%.1f)", median(figures), slices.Min(figures), slices.Max(figures))
}
