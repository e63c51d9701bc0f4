package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDocumentKnowsWhereEveryKeyStands(t *testing.T) {
	d := parse("f", []byte(`# a comment
listen: [a, "b"]
routes:
  one: {upstream: x,
        pool: {max_idle: 3}}
  "two":
    headers:
      X-A: |
        long
        text
`))
	if len(d.problems) > 0 {
		t.Fatal(d.problems)
	}
	for path, want := range map[string]string{
		"listen": "2:1", "listen/0": "2:10", "listen/1": "2:13", "routes": "3:1", "routes/one": "4:3",
		"routes/one/upstream": "4:9", "routes/one/pool": "5:9", "routes/one/pool/max_idle": "5:16",
		"routes/two": "6:3", "routes/two/headers/X-A": "8:7",
	} {
		at, ok := d.places[path]
		if got := fmt.Sprintf("%d:%d", at.line, at.column); !ok || got != want {
			t.Errorf("%s stands at %s, want %s", path, got, want)
		}
	}
	if at := d.placeOf("routes/one/pool/none/at/all"); at.line != 5 || at.column != 9 {
		t.Errorf("what is not there stands at %+v, want the nearest above it", at)
	}
	want := map[string]any{
		"listen": []any{"a", "b"},
		"routes": map[string]any{
			"one": map[string]any{"upstream": "x", "pool": map[string]any{"max_idle": int64(3)}},
			"two": map[string]any{"headers": map[string]any{"X-A": "long\ntext\n"}},
		},
	}
	if !reflect.DeepEqual(d.tree, want) {
		t.Errorf("got %#v", d.tree)
	}
}

func TestDocumentKeepsTypesApart(t *testing.T) {
	d := parse("f", []byte("a: 1\nb: '1'\nc: 1.5\nd: true\ne: 'true'\nf: ~\ng: yes\nh: 0x10\ni: -7\nj: 1e3\nk: \"x\\ty\"\n"))
	want := map[string]any{
		"a": int64(1), "b": "1", "c": 1.5, "d": true, "e": "true", "f": nil, "g": "yes", "h": int64(16), "i": int64(-7), "j": "1e3", "k": "x\ty",
	}
	if !reflect.DeepEqual(d.tree, want) || len(d.problems) > 0 {
		t.Errorf("got %#v, %v", d.tree, d.problems)
	}
}

func TestDocumentFollowsAliasesWithinReason(t *testing.T) {
	d := parse("f", []byte("a: &x {k: v}\nb: *x\nc: [*x, *x]\n"))
	if len(d.problems) > 0 || !reflect.DeepEqual(d.tree["b"], map[string]any{"k": "v"}) {
		t.Errorf("%v %#v", d.problems, d.tree)
	}
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
	}
	if d := parse("f", []byte(bomb.String())); len(d.problems) != 1 || d.problems[0].What != "more than 100 aliases" {
		t.Errorf("a bomb: %v", d.problems)
	}
}

func TestDocumentRefusesMonstersAtOnce(t *testing.T) {
	for name, text := range map[string]string{
		"100 MB":            strings.Repeat("a", 100<<20),
		"brackets":          "a: " + strings.Repeat("[", 100_000),
		"braces":            strings.Repeat("{a: ", 100_000),
		"dashes":            strings.Repeat("- ", 100_000) + "a",
		"levels":            nested(200),
		"many keys":         manyKeys(20_000),
		"aliases in lists":  "a: &a [b]\nc: [" + strings.Repeat("*a,", 50_000) + "]\n",
		"one long line":     "a: " + strings.Repeat("b", maxFile-10),
		"comments":          strings.Repeat("# c\n", 200_000),
		"a million spaces":  strings.Repeat(" ", maxFile-1),
		"quotes that begin": "a: \"" + strings.Repeat("\\\"", 200_000),
	} {
		// The bound is generous: a machine that is busy is no failure, a parser that has gone wild is.
		done := make(chan struct{})
		go func() { parse("f", []byte(text)); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: not done after 20 s", name)
		}
	}
}

// nested is n maps in each other, a line each.
func nested(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

func TestDocumentNestedTooDeepByIndentationIsRefused(t *testing.T) {
	d := parse("f", []byte(nested(maxDepth+10)+strings.Repeat(" ", maxDepth+10)+"b: c\n"))
	if len(d.problems) == 0 || !strings.Contains(d.problems[0].What, "nested deeper than 64 levels") {
		t.Errorf("%v", d.problems)
	}
}

// FuzzParse looks for files that bring reading, filling in and judging down.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{smallest[15:], "a: &a [*a]\n", "{\"routes\": {}}", "a: !!x y", "? a\n: b\n", "a: |\n  b\n", "<<: *a", "\t", "- - -", "\"", "a: ${X"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := parse("f", []byte(text))
		for _, p := range d.problems {
			if p.Line < 1 || p.What == "" {
				t.Errorf("%+v", p)
			}
		}
		e := &expansion{loading: &loading{options: Options{Environ: []string{}}, contents: map[string][]byte{}}, doc: d, dir: t.TempDir()}
		e.tree("", d.tree)
		prune(d.tree, 0)
		schema, err := compiled()
		if err != nil {
			t.Fatal(err)
		}
		d.check(schema)
	})
}
