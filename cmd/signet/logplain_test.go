package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"signet/config"
)

// keyring has a secret, and a log value.
type keyring struct{ secret string }

// LogValue shows none of it.
func (keyring) LogValue() slog.Value { return slog.GroupValue(slog.String("holder", "ada")) }

func TestLogTellsOfAStructNoMoreThanItsType(t *testing.T) {
	const secret = "CaNaRy7f3a"
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log, err := newLogging(&out, config.Log{Level: "info", Format: format})
		if err != nil {
			t.Fatal(err)
		}
		held := struct{ Token string }{secret}
		log.With("made", held).Info("x", "value", held, "pointer", &held, "list", []any{secret}, "ring", keyring{secret},
			slog.Group("g", "deep", held), "names", []string{"a"}, "parts", map[string][]string{"r": {"limits"}}, "n", 7, "err", "why")
		got := out.String()
		if strings.Contains(got, secret) || strings.Count(got, "not shown") != 5 {
			t.Errorf("%s", got)
		}
		for _, want := range []string{"ada", "limits", "7", "why"} {
			if !strings.Contains(got, want) {
				t.Errorf("no %s in %s", want, got)
			}
		}
	}
}
