package main

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"signet/config"
)

func TestExitCodeSaysWhoIsToBlame(t *testing.T) {
	p := &program{stderr: io.Discard}
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("unknown flag: --x"), exitUsage}, // cobra's own
		{exitOf(errors.New("no route to host")), exitRuntime},
		{exitOf(&config.Invalid{}), exitConfig},
		{exitOf(fmt.Errorf("first key: %w", &config.Invalid{})), exitConfig},
		{exitOf(&exit{exitUsage, errors.New("not both")}), exitUsage},
		{&exit{exitConfig, nil}, exitConfig},
	} {
		if got := p.complain(p.root(), c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}
