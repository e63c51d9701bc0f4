package credentials

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// saving writes a file as one that is being saved now, by the clock of the test. It is there at once with that
// time: what is written has the system's until it is told.
func saving(t *testing.T, path, text string) {
	t.Helper()
	beside := path + ".new"
	if err := os.WriteFile(beside, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(beside, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(beside, path); err != nil {
		t.Fatal(err)
	}
}

const wholeKey = "[dev]\naws_access_key_id = AKIAWHOLE\naws_secret_access_key = a-secret-of-some-length\n"

func TestFault_C10_AFileThatIsBeingWrittenIsReadWhenItIsWhole(t *testing.T) {
	home(t, "", "")
	path := os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	synctest.Test(t, func(t *testing.T) {
		// In the middle of the secret: what is there is a key that would be taken.
		saving(t, path, wholeKey[:len(wholeKey)-8])
		time.AfterFunc(50*time.Millisecond, func() { saving(t, path, wholeKey) })
		f, err := fetch(t, ProfileOptions{Profile: "dev"})
		if err != nil || f.Credentials.SecretAccessKey != "a-secret-of-some-length" {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

// The control: a file that was left alone as it is gets read as it is, whatever it looks like.
func TestFault_C10_ControlOfAFileLeftAlone(t *testing.T) {
	home(t, "", wholeKey[:len(wholeKey)-8])
	if f, err := fetch(t, ProfileOptions{Profile: "dev"}); err != nil || f.Credentials.SecretAccessKey != "a-secret-of-some" {
		t.Errorf("%+v, %v: the file above would not have been taken anyway", f, err)
	}
}

func TestFault_C10_ATemporaryKeyWithoutItsTokenIsRefusedAndTheOldOneServes(t *testing.T) {
	home(t, "", "")
	path := os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	save(t, path, "[dev]\naws_access_key_id = ASIAOLD0000000000\naws_secret_access_key = s\naws_session_token = t\n")
	c := newCache(t, NewProfile(ProfileOptions{Profile: "dev", HTTPClient: loopback(t)}), Options{})
	first, _, err := get(c)
	if err != nil {
		t.Fatal(err)
	}
	save(t, path, "[dev]\naws_access_key_id = ASIANEW0000000000\naws_secret_access_key = s\n")
	c.Recheck()
	awaitRefresh(t, c, func(l LastRefresh) bool { return l.Error == "no_credentials" })
	if g, _, err := get(c); g != first || err != nil {
		t.Errorf("%+v, %v", g, err)
	}
}

// awaitRefresh waits until a refresh that is under way has ended as wanted.
func awaitRefresh(t *testing.T, c *Cache, wanted func(LastRefresh) bool) {
	t.Helper()
	for last := c.State().LastRefresh; last == nil || !wanted(*last); last = c.State().LastRefresh {
		if t.Context().Err() != nil {
			t.Fatal("it did not end so")
		}
		c.mu.Lock()
		f := c.flight
		c.mu.Unlock()
		if f != nil {
			<-f.done
		}
	}
}

func TestAFileThatIsNotLeftAloneIsWaitedForNoLongerThanTheFetch(t *testing.T) {
	home(t, "", "")
	path := os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		defer close(stop)
		saving(t, path, wholeKey)
		go func() {
			for n := 1; ; n++ {
				saving(t, path, wholeKey+strings.Repeat("#", n%50))
				select {
				case <-stop:
					return
				case <-time.After(30 * time.Millisecond):
				}
			}
		}()
		c := newCache(t, NewProfile(ProfileOptions{Profile: "dev", HTTPClient: loopback(t)}), Options{Timeout: 20 * time.Second, Wait: 5 * time.Second})
		_, took, err := get(c)
		if err == nil || took != 5*time.Second || !strings.Contains(err.Error(), "which are being written, has not answered for 5s") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestAWebIdentityTokenIsReadWhenItIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	synctest.Test(t, func(t *testing.T) {
		saving(t, path, "eyJ")
		time.AfterFunc(50*time.Millisecond, func() { saving(t, path, "eyJhbGciOi.e30.c2ln") })
		if text, err := readSettled(t.Context(), path); err != nil || string(text) != "eyJhbGciOi.e30.c2ln" {
			t.Errorf("%s, %v", text, err)
		}
	})
	if _, err := readSettled(t.Context(), filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
