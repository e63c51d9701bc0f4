package sandbox

import (
	"fmt"
	"sync"
	"testing"
)

func TestLedgerCountsWhatManyDoAtOnce(t *testing.T) {
	l := newLedger()
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for n := range 100 {
				call := fmt.Sprintf("call-%d", n)
				by := Credentials{Identity: "alice", AccessKeyID: fmt.Sprintf("key-%d", w)}
				l.request("m")
				l.execute("m", call, "echo", by)
				l.cancel("m", call)
				l.refuse(&refusal{kind: "K", other: w == 0, mixed: w == 1})
				_ = l.Calls()
			}
		})
	}
	all.Wait()
	calls := l.Calls()
	if len(calls) != 100 || len(l.Twice()) != 100 {
		t.Errorf("%d calls, %d of them twice", len(calls), len(l.Twice()))
	}
	for _, e := range calls {
		if e.Executions != 8 || e.Cancelled != 8 || e.Identity != "alice" || e.Server != "m" || e.Tool != "echo" {
			t.Errorf("%+v", e)
		}
	}
	if l.Requests()["m"] != 800 || l.Refused()["K"] != 800 || l.WrongIdentity() != 100 || l.Mixed() != 100 {
		t.Errorf("%v %v %d %d", l.Requests(), l.Refused(), l.WrongIdentity(), l.Mixed())
	}
}

func TestLedgerKeepsServersApart(t *testing.T) {
	l := newLedger()
	l.execute("a", "c", "echo", Credentials{})
	l.execute("b", "c", "echo", Credentials{})
	l.execute("a", "", "echo", Credentials{})
	l.cancel("b", "c")
	l.cancel("b", "unheard of")
	calls := l.Calls()
	if len(calls) != 2 || len(l.Twice()) != 0 || calls[0].Cancelled != 0 || calls[1].Cancelled != 1 {
		t.Errorf("%+v", calls)
	}
	calls[0].Executions = 9
	if l.Calls()[0].Executions != 1 {
		t.Error("what Calls returns is the ledger's own")
	}
}
