package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// loadText loads a text and says what came of it, and how long it took.
func loadText(t *testing.T, text string) (*Config, time.Duration, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "signet.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cfg, err := Load(path, Options{Environ: []string{"HOME=" + dir}})
	return cfg, time.Since(begin), err
}

// filled is a file of maxFile bytes that begins with head and goes on with unit.
func filled(head, unit string) string {
	return head + strings.Repeat(unit, (maxFile-len(head))/len(unit))
}

// Some of these once took all memory. The promise is 100 ms on a machine of its own; what goes wrong takes
// minutes, so the bound here leaves room for the race detector and other work.
func TestFault_K14_AFileThatIsTooMuchIsRefusedAtOnce(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a byte too long":        {filled("", "#") + "#", "signet.yaml: larger than 1 MiB"},
		"lists in one line":      {filled("", "- "), "nested deeper than 64 levels"},
		"lists, wide":            {filled("", "-  "), "nested deeper than 64 levels"},
		"lists, tabs":            {filled("", "-\t"), "more than 200000 words and signs"},
		"brackets":               {filled("a: ", "["), "nested deeper than 64 levels"},
		"braces":                 {filled("", "{a: "), "nested deeper than 64 levels"},
		"maps in one line":       {filled("", "a: "), "nested deeper than 64 levels"},
		"maps between brackets":  {filled("a: [", "a: "), "nested deeper than 64 levels"},
		"question marks":         {filled("", "? "), "nested deeper than 64 levels"},
		"merge keys":             {filled("", "<<: "), "nested deeper than 64 levels"},
		"anchors":                {filled("a: ", "&a "), "more than 100 anchors"},
		"aliases":                {filled("", "*a "), "more than 100 aliases"},
		"tags":                   {filled("", "!a "), "tags are not used"},
		"keys of one map":        {filled("", "a: 1\n"), "more than 10000 keys in one map"},
		"texts of one map":       {filled("", "a: |\n"), "more than 10000 keys in one map"},
		"elements":               {filled("a: [", "1,"), "more than 200000 words and signs"},
		"quotes":                 {filled("", `"" `), "more than 200000 words and signs"},
		"an alias of much":       {"a: &a [" + strings.Repeat("1,", 2000) + "]\nb: [*a, *a, *a, *a, *a, *a]\n", "aliases stand for more than 10000 values"},
		"an alias of aliases":    {laughs(8), "more than 100 aliases"},
		"an alias inside itself": {"a: &a [*a]\n", "nested deeper than 64 levels"},
	} {
		_, took, err := loadText(t, test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %.200v, want %q", name, err, test.want)
		}
		if took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// laughs is a file in which each list is ten times the one before.
func laughs(n int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 [x]\n")
	for i := range n {
		fmt.Fprintf(&b, "l%d: &l%d [%s*l%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*l%d, ", i), 9), i)
	}
	return b.String()
}

func TestWhatIsWithinTheLimitsLoads(t *testing.T) {
	var many strings.Builder
	many.WriteString("auth: { mode: none }\nroutes:\n")
	for i := range 1000 {
		fmt.Fprintf(&many, "  r%d: { upstream: \"http://127.0.0.1:1/%d\", upstream_auth: none }\n", i, i)
	}
	var aliased strings.Builder
	aliased.WriteString("defaults: { headers: &h { X-A: a } }\nroutes:\n")
	for i := range maxAliases {
		fmt.Fprintf(&aliased, "  r%d: { upstream: \"http://127.0.0.1:1/\", upstream_auth: none, headers: *h }\n", i)
	}
	var oneLine strings.Builder
	oneLine.WriteString(`{"routes": {"a": {"upstream": "http://127.0.0.1:1", "upstream_auth": "none"}`)
	for i := range 100 {
		fmt.Fprintf(&oneLine, `, "a%d": {"upstream": "http://127.0.0.1:1", "upstream_auth": "none"}`, i)
	}
	for name, test := range map[string]struct {
		text   string
		routes int
	}{
		"a thousand routes":   {many.String(), 1000},
		"a hundred aliases":   {aliased.String(), maxAliases},
		"brackets in a text":  {strings.Replace(smallestText, "dev", `"`+strings.Repeat("[", 100)+`"`, 1), 1},
		"brackets in comment": {smallestText + "# " + strings.Repeat("[{", 100) + "\n", 1},
		"JSON in one line":    {oneLine.String() + "}}", 101},
		"JSON with tabs":      {"{\n\t\"routes\": {\n\t\t\"a\": {\n\t\t\t\"upstream\": \"http:\\/\\/127.0.0.1:1\", \"upstream_auth\": \"none\"\n\t\t}\n\t}\n}", 1},
		"cut in a text":       {strings.Replace(smallestText, "dev", `"`+strings.Repeat(" [", maxFile/64)+` "`, 1), 1},
		"cut in a character":  {smallestText + "#" + strings.Repeat("é", maxFile/64), 1},
		"exactly 1 MiB":       {filled(smallestText, "#"), 1},
	} {
		cfg, _, err := loadText(t, test.text)
		if err != nil || len(cfg.Routes) != test.routes {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

const smallestText = "routes:\n  aws:\n    upstream: https://aws-mcp.us-east-1.api.aws/mcp\n    profile: dev\n"

func TestFault_K14_BytesThatAreNoTextAreSaidWhere(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nb: \x00": "signet.yaml:2:4: a NUL byte",
		"é: \xff":       "signet.yaml:1:4: not UTF-8",
	} {
		if _, _, err := loadText(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
