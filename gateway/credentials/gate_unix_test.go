//go:build unix

package credentials

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// counting is a credential_process that prints new keys of that life each time, and fails when two of it run at
// once. runs is how often it ran.
func counting(t *testing.T, life time.Duration, takes string) (line string, runs func() int) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	line = fmt.Sprintf(`mkdir %[1]s/lock || exit 9; echo run >> %[2]s; sleep %[4]s; n=$(wc -l < %[2]s | tr -d ' '); `+
		`printf '{"Version":1,"AccessKeyId":"ASIAPROCESS%%05d","SecretAccessKey":"s","SessionToken":"t","Expiration":"%[3]s"}' $n; rmdir %[1]s/lock`,
		dir, log, time.Now().Add(life).UTC().Format(time.RFC3339Nano), takes)
	return line, func() int {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "run")
	}
}

func TestPitfall17_FiftyColdRoutesRunOneProcess(t *testing.T) {
	line, runs := counting(t, time.Hour, "0.2")
	home(t, "[profile p]\ncredential_process = sh -c '"+strings.ReplaceAll(line, "'", `'\''`)+"'\n", "")
	h := NewHome()
	var all sync.WaitGroup
	sets := make([]*Generation, 50)
	for n := range sets {
		c := newCache(t, NewProfile(ProfileOptions{Profile: "p", Home: h}), Options{Wait: time.Minute})
		all.Go(func() {
			g, err := c.Get(context.Background(), time.Now())
			if err != nil {
				t.Error(err)
				return
			}
			sets[n] = g
		})
	}
	all.Wait()
	if n := runs(); n != 1 {
		t.Errorf("%d runs for fifty routes", n)
	}
	for n, g := range sets[1:] {
		if g == nil || g == sets[0] || g.Signer == sets[0].Signer {
			t.Fatalf("route %d has the credentials object of another: %+v", n+1, g)
		}
	}
}

func TestAFailedProcessIsNotRunAgainByThoseThatWait(t *testing.T) {
	dir := t.TempDir()
	home(t, "[profile p]\ncredential_process = sh -c 'echo run >> "+dir+"/log; exit 3'\n", "")
	h := NewHome()
	var all sync.WaitGroup
	for range 20 {
		c := newCache(t, NewProfile(ProfileOptions{Profile: "p", Home: h}), Options{Wait: time.Minute})
		all.Go(func() {
			_, err := c.Get(context.Background(), time.Now())
			var known *Error
			if !errors.As(err, &known) || known.Reason != "process_failed" || !strings.HasSuffix(known.Message, "credential_process ended with exit status 3") {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if text, err := os.ReadFile(dir + "/log"); err != nil || strings.Count(string(text), "run") != 1 {
		t.Errorf("%v, runs: %q: one prompt that is declined must not become twenty", err, text)
	}
}

// The route that a run failed for has had its pause, and is not told the same once more.
func TestAFailedProcessIsRunAgainForItsOwnRoute(t *testing.T) {
	dir := t.TempDir()
	home(t, "[profile p]\ncredential_process = sh -c 'test -e "+dir+"/once || { touch "+dir+"/once; exit 3; }; cat "+dir+"/keys'\n", "")
	save(t, dir+"/keys", printed)
	c := newCache(t, NewProfile(ProfileOptions{Profile: "p"}), Options{Wait: time.Minute})
	_, _, err := get(c)
	var known *Error
	if !errors.As(err, &known) || known.RetryAfter > time.Second {
		t.Fatalf("%v", err)
	}
	c.mu.Lock()
	c.backoff = backoff{} // as after the pause
	c.mu.Unlock()
	if _, _, err := get(c); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

// What a process printed a moment ago is no use to the route that has it and wants what comes after: this one
// failed while credentials lived for no longer than the moment.
func TestAProcessRunsAnewForWhoeverHasWhatItPrinted(t *testing.T) {
	line, runs := counting(t, time.Hour, "0")
	home(t, "[profile p]\ncredential_process = sh -c '"+strings.ReplaceAll(line, "'", `'\''`)+"'\n", "")
	h := NewHome()
	a := newCache(t, NewProfile(ProfileOptions{Profile: "p", Home: h}), Options{Wait: time.Minute})
	b := newCache(t, NewProfile(ProfileOptions{Profile: "p", Home: h}), Options{Wait: time.Minute})
	first, _, err := get(a)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := get(b)
	if err != nil || again.Credentials.AccessKeyID != first.Credentials.AccessKeyID || runs() != 1 {
		t.Fatalf("%+v, %v, %d runs", again, err, runs())
	}
	if _, err := a.Get(t.Context(), first.RefreshAt); err != nil {
		t.Fatal(err)
	}
	awaitGeneration(t, a, 2)
	if n := runs(); n != 2 {
		t.Errorf("%d runs: the refresh took what was to be replaced", n)
	}
	b.Invalidate(again)
	second, _, err := get(b)
	if err != nil || second.Credentials.AccessKeyID == first.Credentials.AccessKeyID || runs() != 2 {
		t.Errorf("%+v, %v, %d runs: what route a had printed is news to b", second, err, runs())
	}
}

func TestFault_C15_AProcessThatHangsStopsOnlyTheRoutesThatRunIt(t *testing.T) {
	began := newPipe(t)
	home(t, "[profile inner]\ncredential_process = sh -c 'echo yes > "+began+"; sleep 600'\n[profile outer]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = inner\nregion = eu-west-1\n"+
		"[profile other]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\nregion = eu-west-1\n",
		"[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n")
	answers(t, 200, granted)
	h := NewHome()
	profile := func(name string) *Cache {
		return newCache(t, NewProfile(ProfileOptions{Profile: name, Home: h, HTTPClient: loopback(t)}), Options{Wait: time.Minute, Timeout: time.Hour})
	}
	stuck := []*Cache{profile("inner"), profile("outer"), profile("outer")}
	for _, c := range stuck {
		awaitProcess(t, c)
	}
	if _, err := os.ReadFile(began); err != nil { // returns once one of them runs it
		t.Fatal(err)
	}
	if _, _, err := get(profile("other")); err != nil {
		t.Errorf("a route that has nothing to do with it: %v", err)
	}
	for _, c := range stuck {
		c.Bound(time.Hour, time.Millisecond)
		_, _, err := get(c)
		var known *Error
		if !errors.As(err, &known) || known.Reason != "process_timeout" {
			t.Errorf("%v", err)
		}
	}
}
