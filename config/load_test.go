package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// load loads signet.yaml of a txtar text, which must be good.
func load(t *testing.T, text string, o Options) (*Config, string) {
	t.Helper()
	dir, environ := unpack(t, txtar.Parse([]byte(text)))
	o.Environ = append(environ, o.Environ...)
	cfg, err := Load(filepath.Join(dir, "signet.yaml"), o)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, dir
}

const smallest = `-- signet.yaml --
routes:
  aws:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    profile: dev
`

func TestTheSmallestFileGetsEveryDefault(t *testing.T) {
	cfg, dir := load(t, smallest, Options{})
	want := Default()
	want.Path = filepath.Join(dir, "signet.yaml")
	want.Files = []string{filepath.Join(dir, ".config/signet/keys"), want.Path}
	want.Auth.KeysFile = want.Files[0]
	want.Hash, want.Warnings = cfg.Hash, cfg.Warnings
	r := DefaultRoute()
	r.Upstream, r.Profile = "https://aws-mcp.us-east-1.api.aws/mcp", "dev"
	r.Service, r.Region = "aws-mcp", "us-east-1"
	want.Routes = map[string]Route{"aws": r}
	if !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got\n%+v\nwant\n%+v", *cfg, want)
	}
	if len(cfg.Hash) != 64 {
		t.Errorf("hash %q", cfg.Hash)
	}
}

func TestLayersWinInTheirOrder(t *testing.T) {
	file := strings.Replace(smallest, "routes:", "log: { level: warn, format: json }\nroutes:", 1)
	for name, test := range map[string]struct {
		environ []string
		flags   map[string]any
		level   string
	}{
		"file over default":       {nil, nil, "warn"},
		"environment over file":   {[]string{"SIGNET_LOG_LEVEL=error"}, nil, "error"},
		"command line over all":   {[]string{"SIGNET_LOG_LEVEL=error"}, map[string]any{"log.level": "debug"}, "debug"},
		"the last of a variable":  {[]string{"SIGNET_LOG_LEVEL=error", "SIGNET_LOG_LEVEL=info"}, nil, "info"},
		"other variables are not": {[]string{"LOG_LEVEL=error", "SIGNET_CONFIG=elsewhere"}, nil, "warn"},
	} {
		cfg, _ := load(t, file, Options{Environ: test.environ, Flags: test.flags})
		if cfg.Log.Level != test.level || cfg.Log.Format != "json" {
			t.Errorf("%s: %+v, want level %s and the file's format", name, cfg.Log, test.level)
		}
	}
}

func TestEnvironmentIsParsedByTheKeysType(t *testing.T) {
	cfg, _ := load(t, smallest, Options{Environ: []string{"SIGNET_DRAIN=90s", "SIGNET_TELEMETRY_SAMPLE=0.25", "SIGNET_AUTH_MODE=none"}})
	if cfg.Drain != 90*time.Second || cfg.Telemetry.Sample != 0.25 || cfg.Auth.Mode != "none" {
		t.Errorf("%+v", cfg)
	}
}

func TestDefaultsReachEveryRouteKeyByKey(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
defaults:
  profile: team
  region: us-west-2
  pool: { max_connections: 10, max_idle: 5 }
  headers: { X-Team: a, X-Env: prod }
routes:
  plain: { upstream: https://mcp.example.com/x, service: svc }
  host: { upstream: https://aws-mcp.eu-central-1.api.aws/mcp }
  own:
    upstream: https://aws-mcp.eu-central-1.api.aws/mcp
    profile: mine
    region: sa-east-1
    service: other
    pool: { max_idle: 7 }
    headers: { X-Env: test }
`, Options{})
	for name, want := range map[string][]string{
		"plain": {"team", "us-west-2", "svc"}, "host": {"team", "eu-central-1", "aws-mcp"}, "own": {"mine", "sa-east-1", "other"},
	} {
		if r := cfg.Routes[name]; !slices.Equal([]string{r.Profile, r.Region, r.Service}, want) {
			t.Errorf("%s: profile, region, service are %s, %s, %s; want %v", name, r.Profile, r.Region, r.Service, want)
		}
	}
	own := cfg.Routes["own"]
	if own.Pool.MaxConnections != 10 || own.Pool.MaxIdle != 7 || own.Pool.IdleTimeout != DefaultRoute().Pool.IdleTimeout {
		t.Errorf("pool %+v", own.Pool)
	}
	if !reflect.DeepEqual(own.Headers, map[string]string{"X-Team": "a", "X-Env": "test"}) {
		t.Errorf("headers %v", own.Headers)
	}
	if h := cfg.Routes["host"].Headers; !reflect.DeepEqual(h, map[string]string{"X-Team": "a", "X-Env": "prod"}) {
		t.Errorf("one route's headers reached another: %v", h)
	}
}

func TestIncludesAddRoutes(t *testing.T) {
	cfg, dir := load(t, `-- signet.yaml --
include: [conf.d/*.yaml, none.d/*.yaml]
defaults: { profile: team }
routes: {}
-- conf.d/a.yaml --
routes:
  a: { upstream: https://aws-mcp.us-east-1.api.aws/mcp }
-- conf.d/b.yaml --
routes:
  b: { upstream: https://aws-mcp.us-east-1.api.aws/mcp, profile: own }
-- conf.d/notes.txt --
nothing of ours
`, Options{})
	if len(cfg.Routes) != 2 || cfg.Routes["a"].Profile != "team" || cfg.Routes["b"].Profile != "own" {
		t.Errorf("%+v", cfg.Routes)
	}
	for _, file := range []string{"signet.yaml", "conf.d/a.yaml", "conf.d/b.yaml"} {
		if !slices.Contains(cfg.Files, filepath.Join(dir, file)) {
			t.Errorf("%s is not among %v", file, cfg.Files)
		}
	}
}

func TestFault_K15_VariablesFillScalarsAndNothingElse(t *testing.T) {
	cfg, _ := load(t, `-- signet.yaml --
routes:
  aws:
    upstream: https://${HOST}/mcp
    profile: ${PROFILE}
    pool: { max_connections: "${N}" }
    enabled: ${ON}
    headers: { X-A: "${file:token.txt}", X-B: "cost $$5 ${EMPTY}${EMPTY}.", X-C: "$x" }
-- token.txt --
from a file
`, Options{Environ: []string{"HOST=aws-mcp.us-east-1.api.aws", "PROFILE=a: {b: c}\n# x", "N=12", "ON=true", "EMPTY="}})
	r := cfg.Routes["aws"]
	if r.Upstream != "https://aws-mcp.us-east-1.api.aws/mcp" || r.Service != "aws-mcp" || r.Pool.MaxConnections != 12 || !r.Enabled {
		t.Errorf("%+v", r)
	}
	if r.Profile != "a: {b: c}\n# x" {
		t.Errorf("a value became structure: %q", r.Profile)
	}
	if want := map[string]string{"X-A": "from a file", "X-B": "cost $5 .", "X-C": "$x"}; !reflect.DeepEqual(r.Headers, want) {
		t.Errorf("headers %q, want %q", r.Headers, want)
	}
}

func TestJSONIsYAML(t *testing.T) {
	cfg, _ := load(t, "-- signet.yaml --\n{\"routes\": {\"aws\": {\"upstream\": \"https://aws-mcp.us-east-1.api.aws/mcp\", \"pool\": {\"max_connections\": 9}}}}\n", Options{})
	if cfg.Routes["aws"].Pool.MaxConnections != 9 {
		t.Errorf("%+v", cfg.Routes)
	}
}

func TestFault_K14_BytesThatEditorsAddDoNotMatter(t *testing.T) {
	plain, _ := load(t, smallest, Options{})
	marked := strings.ReplaceAll(strings.Replace(smallest, "--\n", "--\n\xef\xbb\xbf", 1), "dev\n", "dev\r\n")
	cfg, _ := load(t, marked, Options{})
	if !reflect.DeepEqual(cfg.Routes, plain.Routes) {
		t.Errorf("with a byte order mark and CRLF: %+v", cfg.Routes)
	}
}

func TestSizesAndNulls(t *testing.T) {
	for text, want := range map[string]Size{"512B": 512, "64KiB": 64 << 10, "1GiB": 1 << 30, "": 4 << 20, "~": 4 << 20} {
		cfg, _ := load(t, smallest+"    limits: { body: "+text+" }\n    tls: { ca_file: , cert_file: }\n", Options{})
		if got := cfg.Routes["aws"].Limits.Body; got != want {
			t.Errorf("%q is %d bytes, want %d", text, got, want)
		}
	}
}

func TestWarningsDoNotStopAConfig(t *testing.T) {
	cfg, dir := load(t, `-- signet.yaml --
routes:
  aws:
    upstream: https://aws-mcp.us-east-1.api.aws/mcp
    region: eu-west-1
    profile: team-dve
    pool: { max_connections: 4, max_idle: 8 }
    tls: { insecure: true }
-- .aws/config --
[default]
[profile team-dev]
[sso-session corp]
`, Options{})
	var got []string
	for _, w := range cfg.Warnings {
		if !w.Warning {
			t.Errorf("not a warning: %v", w)
		}
		got = append(got, strings.ReplaceAll(w.String(), dir+"/", ""))
	}
	want := []string{
		"signet.yaml:4:5: routes.aws.region: is eu-west-1, but the host is in us-east-1\n    AWS will refuse the signature unless this is meant",
		"signet.yaml:5:5: routes.aws.profile: no profile \"team-dve\" in ~/.aws/config or ~/.aws/credentials: calls will fail until there is\n    did you mean \"team-dev\"?",
		"signet.yaml:6:33: routes.aws.pool.max_idle: is more than max_connections, 4",
		"signet.yaml:7:12: routes.aws.tls.insecure: any certificate is accepted: whoever is in between reads and changes every call\n    set ca_file instead",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAFileThatIsNotThereIsSaidSo(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "signet.yaml"), Options{Environ: []string{}})
	var invalid *Invalid
	if !errors.As(err, &invalid) || !strings.HasSuffix(err.Error(), "signet.yaml: file does not exist") {
		t.Errorf("%v", err)
	}
}

func TestTheHashIsOfAllThatCounts(t *testing.T) {
	text := smallest + "    headers: { X-A: \"${file:a.txt}\" }\n-- a.txt --\none\n"
	dir, environ := unpack(t, txtar.Parse([]byte(text)))
	hash := func() string {
		cfg, err := Load(filepath.Join(dir, "signet.yaml"), Options{Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Hash
	}
	first := hash()
	if first != hash() {
		t.Error("the same files have two hashes")
	}
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if first == hash() {
		t.Error("a file that is referred to does not count")
	}
}
