//go:build unix

package main

import (
	"strings"
	"testing"
)

// answering has the operator socket of a daemon answered, without a watch: a file is read when that is asked for.
func answering(t *testing.T, d *daemon, env environ) {
	t.Helper()
	socket, err := listenOperator(d.path, env)
	if err != nil {
		t.Fatal(err)
	}
	d.operator = socket // stopping the daemon closes it
	socket.serve(d.gateway.Operator(d.operations()), d.log.Logger)
	go func() {
		for {
			select {
			case r := <-d.reloads:
				d.answer(t.Context(), r)
			case <-d.stopping:
				return
			}
		}
	}()
}

func TestReloadPrintsWhatChangedByRouteAndPart(t *testing.T) {
	const listen = "listen: [\"127.0.0.1:0\"]\nauth: { mode: none }\n"
	const upstream = `upstream: "http://127.0.0.1:1/mcp", upstream_auth: none`
	d, _ := startDaemon(t, listen+"routes:\n  old: { "+upstream+" }\n  moved: { "+upstream+" }\n  kept: { "+upstream+" }\n")
	env := environ{"XDG_RUNTIME_DIR=" + t.TempDir()}
	answering(t, d, env)
	write(t, d.path, "drain: 1s\n"+listen+"routes:\n  new: { "+upstream+" }\n  moved: { "+upstream+", limits: { body: 1MiB }, headers: { X-A: b } }\n  kept: { "+upstream+" }\n")
	var out, errs strings.Builder
	p := &program{args: []string{"reload", "-c", d.path}, environ: env, stdout: &out, stderr: &errs}
	if code := p.execute(); code != exitOK || errs.Len() > 0 {
		t.Fatalf("exit %d, %s", code, errs.String())
	}
	want := d.path + `: applied as snapshot 2
  added              new
  changed            moved: forwarding, limits
  removed            old
  kept               1 route
  beside the routes  drain
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
