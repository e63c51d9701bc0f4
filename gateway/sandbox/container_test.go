package sandbox

import (
	"testing"
	"testing/synctest"
	"time"
)

// A podAnswer is a container's credentials, or the refusal of some.
type podAnswer struct {
	AccessKeyId, SecretAccessKey, Token, AccountId, RoleArn string
	Expiration                                              time.Time
	Code                                                    string `json:"code"`
	Message                                                 string `json:"message"`
}

func podKeys(t *testing.T, c *Container, token string) (status int, out podAnswer) {
	t.Helper()
	status, header, text := ask(t, c.URL()+"/v1/credentials", "GET", "", "Authorization", token)
	if kind := header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s", kind)
	}
	parse(t, text, &out)
	return status, out
}

func TestAContainerHasItsRolesCredentials(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	c := s.Container(ContainerOptions{Identity: "pod", Life: time.Minute})
	status, out := podKeys(t, c, "whatever")
	if status != 200 || out.AccountId != s.Identity("pod").Account || out.RoleArn != s.Identity("pod").RoleARN {
		t.Fatalf("%d %+v", status, out)
	}
	set := registered(t, s, "pod", out.AccessKeyId, out.SecretAccessKey, out.Token)
	if left := time.Until(out.Expiration); left > time.Minute || left < 50*time.Second || !out.Expiration.Equal(set.Expires) {
		t.Errorf("they expire in %s", left)
	}
	if _, again := podKeys(t, c, ""); again.AccessKeyId == out.AccessKeyId {
		t.Error("the same set twice")
	}
	exchange{"POST", "", 405, ""}.check(t, c.URL())
	if c.Requests() != 3 {
		t.Errorf("%d requests", c.Requests())
	}
}

func TestAContainersTokenIsRotated(t *testing.T) {
	s := New(Options{})
	t.Cleanup(s.Close)
	c := s.Container(ContainerOptions{Identity: "pod", Token: "first"})
	check := func(token string, good bool) {
		t.Helper()
		status, out := podKeys(t, c, token)
		if !good && (status != 400 || out.Code != "InvalidTokenException" || out.Message == "" || out.AccessKeyId != "") || good && status != 200 {
			t.Errorf("%q: %d %+v", token, status, out)
		}
	}
	check("first", true)
	check("second", false)
	check("", false)
	c.SetToken("second")
	check("second", true)
	check("first", false)
	c.SetToken("")
	check("first", true)
}

func TestAContainerTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		c := s.Container(ContainerOptions{Identity: "pod", Delay: func(n int) time.Duration { return time.Duration(n) * time.Hour }})
		c.Serve(p)
		conn := dial(t, p)
		defer func() { _ = conn.Close() }()
		for n := 1; n <= 2; n++ {
			began := time.Now()
			status, _, text := over(t, conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if took := time.Since(began); status != 200 || took != time.Duration(n)*time.Hour {
				t.Errorf("%d %s after %s", status, text, took)
			}
			var out podAnswer
			parse(t, text, &out)
			if !out.Expiration.Equal(time.Now().Add(time.Hour)) {
				t.Errorf("an hour from the answer, not %s", out.Expiration)
			}
		}
	})
}
