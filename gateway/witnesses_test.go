package gateway

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The control of every row: a witness to whom nothing is wrong says nothing, and whatever a row is held to is said
// when it is not so.
func TestAWitnessSaysWhatIsNotAsItIsInARow(t *testing.T) {
	for name, test := range map[string]struct {
		tamper func(f *failing)
		want   string // begins a problem; empty: there is none
	}{
		"nothing":                 {func(*failing) {}, ""},
		"a secret in the log":     {func(f *failing) { f.gateway.log.Info("x", "y", "CANARY-of-the-keys/secret") }, "a secret is in the log"},
		"a key id in the log":     {func(f *failing) { _, _ = f.witness.log.Write([]byte("AKIACANARYOFTHEKEYS1")) }, "a secret is in the log"},
		"a secret in an answer":   {func(f *failing) { f.witness.heard("other", "POST", 431, bearer) }, "a secret is in an answer"},
		"a span too few":          {func(f *failing) { f.witness.ended("r", "") }, "the spans tell of"},
		"another error in a span": {func(f *failing) { f.witness.calls["r status"]--; f.witness.ended("r", "html") }, "the spans tell of"},
		"a span too many":         {func(f *failing) { f.witness.calls["r status"]-- }, "the spans tell of"},
		"a success for a cut":     {func(f *failing) { f.witness.calls["other "]--; f.witness.cut["other"]++ }, "the spans tell of"},
		"a call under way":        {func(f *failing) { f.gateway.current.Load().routes["r"].flight.enter() }, "1 calls are still under way on r"},
		"a file that is open":     {func(f *failing) { f.witness.files-- }, "files are open"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := beside(t, status(http.StatusBadGateway, "", ""), nil)
				f.post(t, "r", callBody)
				f.atOnce(t)
				synctest.Wait()
				if openFiles(t) == 0 && strings.HasSuffix(test.want, "open") {
					t.Skip("this system has no directory of open files")
				}
				calls, files := f.witness.calls, f.witness.files
				f.witness.calls = map[string]int{"r status": 1, "other ": 1}
				test.tamper(f)
				got := f.witness.problems(t)
				if test.want == "" && len(got) != 0 || test.want != "" && (len(got) == 0 || !strings.Contains(got[0], test.want)) {
					t.Errorf("%q, want %q", got, test.want)
				}
				f.witness.calls, f.witness.files = calls, files // what follows is the test's own end
				f.witness.log.held.Reset()
				f.witness.answers.Reset()
				f.witness.cut = map[string]int{}
				if strings.HasPrefix(test.want, "1 calls") {
					f.gateway.current.Load().routes["r"].flight.leave()
				}
			})
		})
	}
}

// A witness that nobody made a call beside says so. Routes that share a part, and a call that waits, are atOnce's.
func TestAWitnessMissesTheCallBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := beside(t, answering(callAnswer), nil)
		f.witness.beside = 0
		if got := f.witness.alone("TestFault_F01_X"); got == "" {
			t.Error("a row without a call on another route passes")
		}
		f.atOnce(t)
		if got := f.witness.alone("TestFault_F01_X"); got != "" {
			t.Error(got)
		}
		<-time.After(time.Second)
	})
}
