//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEditsAtATimeDoNotLoseAKey(t *testing.T) {
	f := newKeysFile(t, "")
	release, err := aloneIn(filepath.Dir(string(f))) // as another edit has it
	if err != nil {
		t.Fatal(err)
	}
	if err := f.add("laptop", "s"); err == nil || !strings.Contains(err.Error(), "another signet is editing") {
		t.Errorf("error %v does not say why", err)
	}
	release()
	if err := f.add("laptop", "s"); err != nil {
		t.Errorf("after the other: %v", err)
	}
}

// Row P07: whoever was killed while it wrote holds up nobody.
func TestFault_P07_AnEditOfTheKeysThatWasKilledStopsNoOther(t *testing.T) {
	f := newKeysFile(t, "")
	if err := f.add("phone", "s"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(string(f)+".new", []byte("half of a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.add("laptop", "s"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(string(f))
	if err != nil || strings.Count(string(text), "\n") != 2 || !strings.HasPrefix(string(text), "phone:") || strings.Contains(string(text), "half") {
		t.Errorf("the keys are %q, %v", text, err)
	}
	if _, err := os.Stat(string(f) + ".new"); err == nil {
		t.Error("the unfinished file is still there")
	}
}
