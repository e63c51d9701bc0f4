package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDemoCredentialsPrintsWhatItIsGiven(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"Version":1}`) }))
	defer s.Close()
	var out strings.Builder
	p := &program{args: []string{"demo-credentials", s.URL}, stdout: &out, stderr: io.Discard}
	if code := p.execute(); code != exitOK || out.String() != `{"Version":1}` {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
}

func TestDemoCredentialsFailsWhenRefused(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	var out, errs strings.Builder
	p := &program{args: []string{"demo-credentials", s.URL}, stdout: &out, stderr: &errs}
	if code := p.execute(); code != exitRuntime || out.Len() != 0 || !strings.Contains(errs.String(), "404") {
		t.Errorf("exit %d, printed %q and %q", code, out.String(), errs.String())
	}
}
