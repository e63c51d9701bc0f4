package main

import (
	"strings"
	"syscall"
	"testing"
)

// Row P02.
func TestFault_P02_AFullDiskIsNoConcernOfTheCalls(t *testing.T) {
	p := attend(t, "exec 2>/dev/full;", routes(quick(t), "")+"  down: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none, breaker: { failures: 0 } }\n")
	known := p.caller(t)
	p.besides(t, known)
	for range 10 {
		if got := known.call("down", theMessage); !strings.Contains(got, `"reason":"refused"`) { // and a line is lost
			t.Error(got)
		}
		if got := known.call("quick", theMessage); got != "200 "+aResult {
			t.Error(got)
		}
	}
	_, body, err := request(known.Client, "GET", "http://"+p.address+"/-/metrics", "", "")
	if err != nil || !strings.Contains(body, "\nsignet_log_lost_total 1") { // 11, with the warning that auth is none
		t.Errorf("the lost lines are not counted: %v", err)
	}
	p.signal(t, syscall.SIGTERM)
	if code := <-p.ended; code != exitOK {
		t.Errorf("exit code %d", code)
	}
}
