package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"signet/config"
	"signet/gateway/sandbox"
)

func TestFault_K11_AFileThatMeansTheSameCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		served := 0
		c := newCloud(t, sandbox.STSOptions{Life: time.Hour}, func(_ string, s *sandbox.Server) string {
			served++
			address := fmt.Sprint("127.0.0.1:", 9000+served)
			s.Serve(n.listen(t, address))
			return "http://" + address
		}, "a")
		upstream := strings.TrimSuffix(c.routes["a"].Upstream, "/mcp")
		path := filepath.Join(t.TempDir(), "signet.yaml")
		load := func(text string) *config.Config {
			t.Helper()
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Load(path, config.Options{Environ: []string{"HOME=" + filepath.Dir(path)}})
			if err != nil {
				t.Fatal(err)
			}
			return cfg
		}
		head := "auth: { mode: none }\n"
		keys := []string{"    upstream: " + upstream + "/mcp\n", "    profile: a\n", "    service: svc-a\n", "    region: eu-west-1\n"}
		file := func(extra string) string { return head + "routes:\n  a:\n" + strings.Join(keys, "") + extra }
		b := newBench(t, n, load(file("")), Options{})
		was := b.gateway.current.Load().routes["a"]
		for i, extra := range []string{
			"", "# a comment\n", "    enabled: true\n", "    headers: {}\n", "    pool: { max_connections: 128 }\n",
			"    upstream_auth: sigv4\n", "    limits: { body: 4096KiB }\n", "    timeouts: { call: 1800s }\n", "    tls: {}\n", "log: { level: info }\n",
		} {
			if _, body := b.post(t, "a", toolCall(fmt.Sprint("call-", i), "echo", `"text":"x"`)); !isResult(body) {
				t.Fatal(body)
			}
			slices.Reverse(keys)
			changes, err := b.gateway.Reload(t.Context(), load(file(extra)), nil)
			if err != nil || len(changes.Kept) != 1 || changes.Gateway != nil || b.gateway.current.Load().routes["a"] != was {
				t.Errorf("with %q: %+v, %v", extra, changes, err)
			}
		}
		if dialed, asked := n.dialed(strings.TrimPrefix(upstream, "http://")), c.sts.Asked(); dialed != 1 || asked != 1 {
			t.Errorf("%d connections and %d credential fetches, want one of each", dialed, asked)
		}
	})
}

func TestFault_K12_ContentsOfAReferencedFileAreAChange(t *testing.T) {
	read := func(path string) string {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, cert, key := certify(t, time.Now().Add(time.Hour))
	_, otherCert, otherKey := certify(t, time.Now().Add(time.Hour))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(ca, read(cert))
	g, cfg := two(t)
	cfg = edited(cfg, "b", func(r *config.Route) { r.TLS = config.TLS{CAFile: ca, CertFile: cert, KeyFile: key} })
	if _, err := g.Reload(t.Context(), cfg, nil); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(){
		"the CA":          func() { write(ca, read(ca)+read(otherCert)) },
		"the certificate": func() { write(cert, read(otherCert)); write(key, read(otherKey)) },
	} {
		was := g.current.Load().routes["b"]
		change()
		changes, err := g.Reload(t.Context(), cfg, nil)
		if is := g.current.Load().routes["b"]; err != nil || !reflect.DeepEqual(changes.Parts, map[string][]string{"b": {partConnections}}) || is.pool == was.pool || is.identity != was.identity {
			t.Errorf("%s: %+v, %v", name, changes, err)
		}
		if changes, err := g.Reload(t.Context(), cfg, nil); err != nil || len(changes.Kept) != 2 {
			t.Errorf("%s, once more: %+v, %v", name, changes, err)
		}
	}
	was := g.current.Load()
	write(ca, "half of a certif")
	if _, err := g.Reload(t.Context(), cfg, nil); !errors.Is(err, errNoCertificate) || g.current.Load() != was {
		t.Errorf("a file that is half written: %v", err)
	}
	write(ca, read(cert))
	next := *cfg
	next.Auth.Keys = []config.Key{{Name: "k"}}
	if changes, err := g.Reload(t.Context(), &next, nil); err != nil || !slices.Equal(changes.Gateway, []string{"auth"}) {
		t.Errorf("the keys file: %+v, %v", changes, err)
	}
}

func TestFault_P10_ReloadsThatComeAtOnceAreAppliedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := beside(t, answering(callAnswer), nil)
		g, cfg := f.gateway, f.gateway.current.Load().config
		var inside, overlaps atomic.Int32
		prepare := func(*config.Config) (func(), error) {
			if inside.Add(1) != 1 {
				overlaps.Add(1)
			}
			return func() { inside.Add(-1) }, nil
		}
		const each = 100
		var all sync.WaitGroup
		numbers := make(chan uint64, 2*each)
		for i := range each {
			all.Go(func() { // a file that was saved
				next := edited(cfg, "r", func(r *config.Route) { r.Headers = map[string]string{"X": fmt.Sprint(i)} })
				changes, err := g.Reload(t.Context(), next, prepare)
				if err != nil || slices.Contains(changes.Kept, "r") {
					t.Errorf("%s, %v", changes, err)
				}
				numbers <- changes.Snapshot
			})
			all.Go(func() { // a SIGHUP, with the file as it was, and a bad one
				g.Refused(errors.New("no config"))
				changes, err := g.Reload(t.Context(), cfg, prepare)
				if err != nil {
					t.Error(err)
				}
				numbers <- changes.Snapshot
			})
		}
		for range 20 {
			f.atOnce(t)
		}
		all.Wait()
		close(numbers)
		var got []uint64
		for n := range numbers {
			got = append(got, n)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != 2*each || got[0] != 2 || got[len(got)-1] != 2*each+1 || overlaps.Load() != 0 {
			t.Errorf("%d reloads overlapped; snapshots %v", overlaps.Load(), got)
		}
		if s := g.Status(); s.Snapshot.Number != 2*each+1 || s.Snapshot.Number != g.current.Load().number {
			t.Errorf("%+v", s.Snapshot)
		}
	})
}

func TestPitfall41_ADeletedRouteIsGoneAfterTheSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		up := plain(upstream(t, n, "up.test", answering(callAnswer)))
		cfg := settings(map[string]config.Route{"r": up, "s": up})
		b := newBench(t, n, cfg, Options{})
		off := edited(cfg, "r", func(r *config.Route) { r.Enabled = false })
		for _, next := range []*config.Config{without(cfg, "r"), cfg, off, cfg} {
			if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
				t.Fatal(err)
			}
			response, body := b.post(t, "r", callBody)
			if next == cfg && body != callAnswer {
				t.Errorf("a route that came back: %s", body)
			}
			if next != cfg && (response.StatusCode != 404 || !strings.Contains(body, `"code":-31040`)) {
				t.Errorf("a route that went: %d %s", response.StatusCode, body)
			}
		}
	})
}

func TestPitfall36_ReloadsUnderLoadLoseNoCallAndLeaveNothing(t *testing.T) {
	overBoth(t, func(t *testing.T, h *holding, b *bench, cfg *config.Config) {
		const reloads, workers = 200, 4
		var open []<-chan string
		var failed atomic.Int64
		called := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		for range workers {
			busy.Go(func() {
				for ctx.Err() == nil {
					r := request(t, "r", callBody)
					r.Header.Set("Mcp-Name", "quick")
					if _, body := b.do(t, r); body != callAnswer {
						failed.Add(1)
					}
					select {
					case called <- struct{}{}:
					case <-ctx.Done():
					}
				}
			})
		}
		for n := range reloads {
			if n%10 == 0 {
				answers := make(chan string, 1)
				r := request(t, "r", callBody)
				r.Header.Set("Mcp-Name", "stream")
				go func() { _, body := b.do(t, r); answers <- body }()
				open = append(open, answers)
			}
			next := edited(cfg, "r", func(r *config.Route) {
				r.Headers = map[string]string{"X-Edition": fmt.Sprint(n)}
				r.Pool.MaxIdle = 100 + n/5%2
			})
			if _, err := b.gateway.Reload(t.Context(), next, nil); err != nil {
				t.Fatal(err)
			}
			for range workers {
				<-called
			}
		}
		stop()
		busy.Wait()
		close(h.finish)
		for _, answer := range open {
			if got := <-answer; got != event(progress)+event(callAnswer) {
				t.Errorf("a stream ended with %q", got)
			}
		}
		synctest.Wait()
		if s := b.gateway.Status().Retiring; failed.Load() > 0 || s != (RetiringStatus{}) {
			t.Errorf("%d calls failed, held are %+v", failed.Load(), s)
		}
		if n, now := h.open.Load(), b.gateway.current.Load().routes["r"].pool.connections.count(); n != int32(now) {
			t.Errorf("%d connections are open, %d of them of the route that serves", n, now)
		}
		if err := b.gateway.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := h.open.Load(); n != 0 {
			t.Errorf("%d connections are open after the end", n)
		}
	})
}

func TestPitfall36_AnHTTP2ConnectionOnARealSocketIsClosed(t *testing.T) {
	pair, certFile, _ := certify(t, time.Now().Add(time.Hour))
	streaming, closed := make(chan string, 1), make(chan struct{}, 8)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events(w)(event(progress))
		streaming <- r.Proto
		<-r.Context().Done()
	}))
	server.TLS, server.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{pair}}, true
	var connections atomic.Int32
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			connections.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	r := plain(server.URL + "/mcp")
	r.TLS.CAFile, r.Pool.IdleTimeout = certFile, time.Hour
	cfg := settings(map[string]config.Route{"r": r, "s": plain("http://127.0.0.1:1/")})
	cfg.Drain = time.Millisecond
	f := overTCP(t, cfg)
	s := &storm{front: f}
	answer := make(chan string)
	go func() {
		body, err := s.ask(context.Background(), "r", callBody)
		answer <- fmt.Sprint(body, err)
	}()
	if proto := <-streaming; proto != "HTTP/2.0" {
		t.Fatal(proto)
	}
	if _, err := f.gateway.Reload(t.Context(), without(cfg, "r"), nil); err != nil {
		t.Fatal(err)
	}
	if got := <-answer; !strings.Contains(got, `"code":-31021`) {
		t.Error(got)
	}
	<-closed // or the test hangs: the pool would keep it for an hour
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
