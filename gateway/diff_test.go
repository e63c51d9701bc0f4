package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"signet/config"
)

// A chance makes configs that Load could have returned.
type chance struct{ *rand.Rand }

// of is one of the values.
func of[T any](c chance, values ...T) T { return values[c.IntN(len(values))] }

// route is some route, not always another.
func (c chance) route(files []string) config.Route {
	r := config.DefaultRoute()
	r.Upstream = of(c, "https://a.test/mcp", "https://a.test/other?x=1", "https://b.test/mcp", "http://127.0.0.1:1/mcp")
	r.Enabled = c.IntN(8) > 0
	r.UpstreamAuth = of(c, "sigv4", "sigv4", "none")
	r.Profile, r.Region, r.Service = of(c, "", "dev", "prod"), of(c, "eu-west-1", "us-east-1"), of(c, "svc", "aws-mcp")
	r.AssumeRole.ARN, r.Credentials.Wait = of(c, "", "arn:aws:iam::123456789012:role/r"), of(c, time.Second, 10*time.Second)
	r.AssumeRole.Tags = of(c, nil, map[string]string{}, map[string]string{"team": "a"})
	r.Payload = of(c, "signed", "unsigned")
	r.Pool.MaxConnections, r.Pool.HTTP2 = of(c, 64, 128), of(c, true, false)
	r.Timeouts.Connect, r.Timeouts.Call = of(c, time.Second, 5*time.Second), of(c, 0, time.Minute)
	r.Dial, r.Proxy = of(c, "", "", "127.0.0.1:1"), of(c, config.ProxyEnv, config.ProxyEnv, config.ProxyNone)
	r.Keepalive, r.Retry.Max = of(c, 0, 15*time.Second), c.IntN(2)
	r.Limits.Body, r.Limits.Calls, r.Breaker.Failures = of[config.Size](c, 1<<20, 4<<20), of(c, 8, 64), of(c, 0, 5)
	r.Headers = of(c, nil, map[string]string{}, map[string]string{"X-Team": "a"}, map[string]string{"X-Team": "b"})
	r.TLS.CAFile, r.TLS.Insecure = of(c, files...), c.IntN(8) == 0
	return r
}

// next is cfg with a few things changed, as a person edits a file: often only one.
func (c chance) next(cfg *config.Config, files []string) *config.Config {
	next := *cfg
	next.Routes = maps.Clone(cfg.Routes)
	for range 1 + c.IntN(4) {
		name := fmt.Sprint("r", c.IntN(6))
		switch c.IntN(10) {
		case 0:
			next.Listen = of(c, []string{"127.0.0.1:8484"}, []string{"127.0.0.1:8484", "[::1]:8484"})
		case 1:
			next.Auth.AllowedHosts = of(c, nil, []string{}, []string{"signet.test"})
			next.Auth.Keys = of(c, nil, []config.Key{{Name: "k", Hash: [32]byte{byte(c.IntN(3))}}})
		case 2:
			next.Drain, next.Log.Level = of(c, time.Second, 30*time.Second), of(c, "info", "debug")
		case 3:
			next.Telemetry.Sample, next.Include = of(c, 0.5, 1), of(c, nil, []string{"conf.d/*.yaml"})
		case 4:
			delete(next.Routes, name)
		case 5:
			r := config.DefaultRoute()
			if old, ok := next.Routes[name]; ok {
				r = old
			}
			r.Upstream = of(c, "https://a.test/mcp", "https://b.test/mcp")
			next.Routes[name] = r
		default:
			next.Routes[name] = c.route(files)
		}
	}
	return &next
}

// shown is what a person and a program see of changes.
func shown(t *testing.T, c Changes) string {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return c.String() + "\n" + string(text)
}

func TestDiffSaysWhatTheReloadThenDoes(t *testing.T) {
	_, ca, _ := certify(t, time.Now().Add(time.Hour))
	_, other, _ := certify(t, time.Now().Add(time.Hour))
	files, seen := []string{"", "", ca, other, "/nowhere.pem"}, map[string]int{}
	c := chance{rand.New(rand.NewPCG(4, 1))}
	cfg := settings(map[string]config.Route{"r0": plain("https://a.test/mcp")})
	g, err := New(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for pair := 0; pair < 500; {
		next := c.next(cfg, files)
		before := g.Status()
		diff, diffErr := g.Diff(next)
		if after := g.Status(); after.Snapshot.Number != before.Snapshot.Number || after.LastReload.At != before.LastReload.At {
			t.Fatalf("a diff left its mark: %+v", after)
		}
		changes, err := g.Reload(t.Context(), next, nil)
		if fmt.Sprint(diffErr) != fmt.Sprint(err) || shown(t, diff) != shown(t, changes) {
			t.Fatalf("pair %d: the diff said %v\n%s\nthe reload did %v\n%s", pair, diffErr, shown(t, diff), err, shown(t, changes))
		}
		if err != nil {
			seen["refused"]++
			continue
		}
		for _, part := range slices.Concat(slices.Collect(maps.Values(changes.Parts))...) {
			seen[part]++
		}
		for name, list := range map[string][]string{"added": changes.Added, "changed": changes.Changed, "removed": changes.Removed, "kept": changes.Kept, "gateway": changes.Gateway} {
			seen[name] += len(list)
		}
		cfg, pair = next, pair+1
	}
	for _, kind := range []string{"refused", "added", "changed", "removed", "kept", "gateway", partConnections, partCredentials, partForwarding, partLimits} {
		if seen[kind] < 20 {
			t.Errorf("the pairs had %d of %s: they prove nothing of it", seen[kind], kind)
		}
	}
	if err := g.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := g.Diff(cfg); err == nil {
		t.Error("a gateway that has ended would still reload")
	}
}

func TestDiffNamesPartsAndKeys(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*config.Config, *config.Route)
		want   string
	}{
		"nothing":        {func(*config.Config, *config.Route) {}, ""},
		"an empty list":  {func(_ *config.Config, r *config.Route) { r.Headers = map[string]string{} }, ""},
		"a header":       {func(_ *config.Config, r *config.Route) { r.Headers = map[string]string{"X": "1"} }, "forwarding"},
		"a limit":        {func(_ *config.Config, r *config.Route) { r.Limits.Body++ }, "limits"},
		"calls":          {func(_ *config.Config, r *config.Route) { r.Limits.Calls-- }, "limits"},
		"a rate":         {func(_ *config.Config, r *config.Route) { r.Limits.Rate = 3 }, "limits"},
		"the breaker":    {func(_ *config.Config, r *config.Route) { r.Breaker.Open++ }, "limits"},
		"the memory":     {func(c *config.Config, _ *config.Route) { c.Memory++ }, "; gateway: memory"},
		"a call timeout": {func(_ *config.Config, r *config.Route) { r.Timeouts.Call++ }, "forwarding"},
		"a dial timeout": {func(_ *config.Config, r *config.Route) { r.Timeouts.Connect++ }, "connections"},
		"the dial":       {func(_ *config.Config, r *config.Route) { r.Dial = "127.0.0.1:1" }, "connections"},
		"the proxy":      {func(_ *config.Config, r *config.Route) { r.Proxy = "http://proxy.test:1" }, "connections"},
		"the keepalive":  {func(_ *config.Config, r *config.Route) { r.Keepalive++ }, "forwarding"},
		"the retries":    {func(_ *config.Config, r *config.Route) { r.Retry.Max = 0 }, "forwarding"},
		"the errors":     {func(_ *config.Config, r *config.Route) { r.Errors = "http" }, "forwarding"},
		"the pool":       {func(_ *config.Config, r *config.Route) { r.Pool.MaxIdle++ }, "connections"},
		"the host":       {func(_ *config.Config, r *config.Route) { r.Upstream = "https://c.test/mcp" }, "connections forwarding"},
		"the path":       {func(_ *config.Config, r *config.Route) { r.Upstream = "https://b.test/other" }, "forwarding"},
		"the profile":    {func(_ *config.Config, r *config.Route) { r.Profile = "prod" }, "credentials"},
		"a role":         {func(_ *config.Config, r *config.Route) { r.AssumeRole.ARN = "arn:aws:iam::123456789012:role/r" }, "credentials"},
		"a tag":          {func(_ *config.Config, r *config.Route) { r.AssumeRole.Tags = map[string]string{"team": "a"} }, "credentials"},
		"no tags":        {func(_ *config.Config, r *config.Route) { r.AssumeRole.Tags = map[string]string{} }, ""},
		"the wait":       {func(_ *config.Config, r *config.Route) { r.Credentials.Wait++ }, "forwarding"},
		"the payload":    {func(_ *config.Config, r *config.Route) { r.Payload = "unsigned" }, "forwarding"},
		"the service":    {func(_ *config.Config, r *config.Route) { r.Service = "other" }, "forwarding"},
		"no signing":     {func(_ *config.Config, r *config.Route) { r.UpstreamAuth = "none" }, "credentials forwarding"},
		"listen, drain":  {func(c *config.Config, _ *config.Route) { c.Listen, c.Drain = []string{"[::1]:1"}, 1 }, "; gateway: drain, listen"},
		"a key":          {func(c *config.Config, _ *config.Route) { c.Auth.Keys = []config.Key{{Name: "k"}} }, "; gateway: auth"},
		"log":            {func(c *config.Config, _ *config.Route) { c.Log.Level = "debug" }, "; gateway: log"},
		"no meaning":     {func(c *config.Config, _ *config.Route) { c.Path, c.Hash, c.Files = "/x", "y", []string{"/x"} }, ""},
		"both kinds": {func(c *config.Config, r *config.Route) {
			c.Include, c.Telemetry.Sample = []string{"*.yaml"}, 0.5
			r.Limits.Body++
		}, "limits; gateway: include, telemetry"},
	} {
		t.Run(name, func(t *testing.T) {
			g, cfg := two(t)
			next := *cfg
			r := next.Routes["b"]
			test.change(&next, &r)
			next.Routes = map[string]config.Route{"a": cfg.Routes["a"], "b": r}
			diff, err := g.Diff(&next)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(diff.Parts["b"], " ")
			if len(diff.Gateway) > 0 {
				got += "; gateway: " + strings.Join(diff.Gateway, ", ")
			}
			if got != test.want || slices.Contains(diff.Changed, "b") != (len(diff.Parts["b"]) > 0) {
				t.Errorf("%q, want %q; %+v", got, test.want, diff)
			}
			line, _, _ := strings.Cut(diff.String(), "\n")
			if line != diff.String() || strings.Contains(line, "; gateway: ") != (len(diff.Gateway) > 0) {
				t.Errorf("as a line: %q", diff)
			}
		})
	}
}

func TestSameLooksAtMeaning(t *testing.T) {
	type secret struct{ value string }
	type block struct {
		Secret secret
		List   []string
		Map    map[string]int
		Inner  struct{ N int }
	}
	full := block{Secret: secret{"x"}, List: []string{"a"}, Map: map[string]int{"a": 1}}
	for name, test := range map[string]struct {
		change func(*block)
		want   bool
	}{
		"nothing":     {func(*block) {}, true},
		"a copy":      {func(b *block) { b.List, b.Map = []string{"a"}, map[string]int{"a": 1} }, true},
		"a secret":    {func(b *block) { b.Secret.value = "y" }, false},
		"a list":      {func(b *block) { b.List = nil }, false},
		"a map entry": {func(b *block) { b.Map = map[string]int{"a": 2} }, false},
		"a number":    {func(b *block) { b.Inner.N = 1 }, false},
	} {
		next := full
		if test.change(&next); same(full, next) != test.want {
			t.Errorf("%s: same is %v", name, !test.want)
		}
	}
	if !same(block{List: []string{}, Map: map[string]int{}}, block{}) {
		t.Error("an empty list is another than none")
	}
}
