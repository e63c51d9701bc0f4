package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Whether and how many spans a gateway makes.
const (
	sampled   = "sampled"   // every call's two, exported in batches to a collector that takes and drops them
	unsampled = "unsampled" // made, but none is recorded
	off       = "off"
)

// What fills the frozen route: calls that are not answered, those that wait behind them, and some for whom there
// is no room, who try again and again.
const (
	frozenCalls = 4
	frozenQueue = 64
	frozenSpare = 4
)

// A field of contestants: what they share, and what was started for them.
type grounds struct {
	dir       string // for what is built and written; removed at the end
	signet    string // the program
	key       string // of its callers
	upstream  *upstream
	collector *httptest.Server
	silence   silence      // a collector that hangs; none until hungGoals
	batches   atomic.Int64 // of spans that the collector was sent
	started   []*contestant
}

// newGrounds builds the gateway and starts what is behind it.
func newGrounds() (*grounds, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	g := &grounds{dir: dir, signet: filepath.Join(dir, "signet"), key: rand.Text()}
	build := exec.Command("go", "build", "-o", g.signet, "./cmd/signet")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		g.close()
		return nil, fmt.Errorf("building the gateway: %w", err)
	}
	g.upstream, err = newUpstream(verifier{
		keyID: "AKIDBENCH", secret: rand.Text(), token: rand.Text() + rand.Text() + rand.Text() + rand.Text(),
		region: "eu-west-1", service: "bench", keys: &sync.Map{},
	})
	if err != nil {
		g.close()
		return nil, err
	}
	g.collector = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		g.batches.Add(1)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	return g, nil
}

func (g *grounds) close() {
	for _, c := range g.started {
		c.stop()
	}
	if g.collector != nil {
		g.collector.Close()
	}
	if g.silence.Listener != nil {
		_ = g.silence.Close()
	}
	if g.upstream != nil {
		_ = g.upstream.Close()
	}
	_ = os.RemoveAll(g.dir)
}

// begin starts a program that is stopped at the end.
func (g *grounds) begin(name string, t target, env []string, command ...string) (*contestant, error) {
	c, err := start(name, t, env, command...)
	if err == nil {
		g.started = append(g.started, c)
	}
	return c, err
}

// direct is no program at all.
func (g *grounds) direct() *contestant {
	return &contestant{name: "direct", target: target{address: g.upstream.Addr().String(), path: "/plain"}}
}

// proxy starts a yardstick: "plain" or "tuned".
func (g *grounds) proxy(kind string) (*contestant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return g.begin(kind, target{address: address, path: "/plain"}, os.Environ(), self, kind, address, g.upstream.url(""))
}

// nginx starts an nginx as a plain hop.
func (g *grounds) nginx() (*contestant, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(g.dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.log;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  client_body_buffer_size 256k; proxy_buffer_size 16k; proxy_buffers 8 32k;
  upstream up { server %[2]s; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 600s; }
  server {
    listen %[3]s;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`, g.dir, g.upstream.Addr(), address)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return g.begin("nginx", target{address: address, path: "/plain"}, os.Environ(), "nginx", "-p", g.dir, "-e", filepath.Join(g.dir, "nginx.log"), "-c", file)
}

// gateway starts the signet that was built, which signs what comes by /signed.
func (g *grounds) gateway(spans string) (*contestant, error) {
	return g.run(g.signet, "signet, spans "+spans, spans)
}

// run starts a signet of any build.
func (g *grounds) run(program, name, spans string) (*contestant, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	home := filepath.Join(g.dir, spans+"-"+rand.Text())
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(g.key))
	keys, file := filepath.Join(home, "keys"), filepath.Join(home, "signet.yaml")
	if err := os.WriteFile(keys, []byte("bench:"+hex.EncodeToString(hash[:])+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, []byte(g.config(address, keys)), 0o600); err != nil {
		return nil, err
	}
	v := g.upstream.verifier
	env := []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + home, "PATH=" + os.Getenv("PATH"),
		"AWS_ACCESS_KEY_ID=" + v.keyID, "AWS_SECRET_ACCESS_KEY=" + v.secret, "AWS_SESSION_TOKEN=" + v.token,
	}
	if spans != off {
		endpoint := g.collector.URL
		if spans == hung {
			endpoint = "http://" + g.silence.Addr().String()
		}
		env = append(env, "OTEL_EXPORTER_OTLP_ENDPOINT="+endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")
	}
	if spans == unsampled {
		env = append(env, "OTEL_TRACES_SAMPLER=always_off")
	}
	return g.begin(name, target{address: address, path: "/signed", key: g.key}, env, program, "run", "-c", file)
}

// config is a gateway's file. Everything is at its default but for the streams, of which there are to be many,
// and the frozen route, all of whose places a few calls fill, and its queue those behind them, for good.
func (g *grounds) config(address, keys string) string {
	return fmt.Sprintf(`listen: [%q]
auth: { keys_file: %q }
routes:
  signed: { upstream: %[3]q, service: bench, region: eu-west-1 }
  streams:
    upstream: %[3]q
    service: bench
    region: eu-west-1
    pool: { max_connections: 16384 }
    limits: { streams: 8192, per_client: 8192 }
  frozen:
    upstream: %[4]q
    service: bench
    region: eu-west-1
    limits: { calls: %[5]d, queue: %[6]d, queue_wait: 1h, per_client: 1024 }
`, address, keys, g.upstream.url("signed"), g.upstream.url("frozen"), frozenCalls, frozenQueue)
}
