package sandbox

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"
)

func TestVendHandsOutWhatACredentialProcessPrints(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	url := s.Vend(VendOptions{Life: time.Minute}).URL()
	status, _, body := ask(t, url+"/alice", "GET", "")
	var document struct {
		Version                                    int
		AccessKeyId, SecretAccessKey, SessionToken string
		Expiration                                 time.Time
	}
	if err := json.Unmarshal([]byte(body), &document); status != 200 || err != nil || document.Version != 1 {
		t.Fatalf("%d %v %s", status, err, body)
	}
	set, ok := s.key(document.AccessKeyId)
	if !ok || set.SecretAccessKey != document.SecretAccessKey || set.SessionToken != document.SessionToken || set.Identity != "alice" {
		t.Errorf("%+v", set)
	}
	if left := time.Until(document.Expiration); left > time.Minute || left < 50*time.Second || !set.Expires.Equal(document.Expiration) {
		t.Errorf("they expire in %s, at %s", left, set.Expires)
	}
	if _, _, again := ask(t, url+"/alice", "GET", ""); again == body {
		t.Error("the same set twice")
	}
	for _, x := range []exchange{{"GET", "", 404, "identity"}, {"POST", "", 405, ""}} {
		x.check(t, url)
	}
}

func TestVendTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		s.Vend(VendOptions{Delay: func(n int) time.Duration { return time.Duration(n) * time.Hour }}).Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		for n := range 2 {
			began := time.Now()
			response, err := client.Get("http://h/alice")
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if took := time.Since(began); took != time.Duration(n+1)*time.Hour {
				t.Errorf("request %d took %s", n+1, took)
			}
		}
	})
}
