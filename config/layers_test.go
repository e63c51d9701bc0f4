package config

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// someTree is a tree of maps, with values that are none among them.
func someTree(r *rand.Rand, depth int) map[string]any {
	tree := map[string]any{}
	for range r.IntN(4) {
		key := fmt.Sprint("k", r.IntN(5))
		switch r.IntN(4) {
		case 0:
			tree[key] = r.IntN(100)
		case 1:
			tree[key] = []any{"a", r.IntN(10)}
		default:
			if depth > 0 {
				tree[key] = someTree(r, depth-1)
			}
		}
	}
	return tree
}

// Two programs merge maps here: .adr/0009.
func TestLayMergesAsKoanfDoes(t *testing.T) {
	r, merged := rand.New(rand.NewPCG(1, 2)), 0
	for range 2000 {
		under, over := someTree(r, 3), someTree(r, 3)
		k := koanf.New(delimiter)
		for _, tree := range []map[string]any{under, over} {
			if err := k.Load(confmap.Provider(tree, ""), nil); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]any{}
		lay(under, got)
		lay(over, got)
		if want := k.Raw(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v over %v:\n%v, koanf says\n%v", over, under, got, want)
		}
		if len(under) > 0 && len(over) > 0 {
			merged++
		}
	}
	if merged < 500 {
		t.Errorf("%d pairs had anything to merge", merged)
	}
}
