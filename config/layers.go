package config

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// delimiter cannot stand in a key, so koanf never takes a key apart.
const delimiter = "\x00"

// merge layers defaults, file, environment and flags, and gives each route, of the includes as well, the
// defaults' keys. Routes go around koanf: it walks through all it has with each layer, and they may be 10,000.
func (l *loading) merge() (*Config, error) {
	k := koanf.New(delimiter)
	defaults, err := asMap(Default())
	if err != nil {
		return nil, err
	}
	if err := k.Load(confmap.Provider(defaults, ""), nil); err != nil {
		return nil, err
	}
	routes, seen := map[string]any{}, map[string]place{}
	for _, d := range l.documents {
		l.refuseTwice(d, seen)
		globals := maps.Clone(d.tree)
		own, _ := globals["routes"].(map[string]any)
		maps.Copy(routes, own)
		delete(globals, "routes")
		if err := k.Load(confmap.Provider(globals, ""), nil); err != nil {
			return nil, err
		}
	}
	tree := k.Raw()
	shared, _ := tree["defaults"].(map[string]any)
	delete(tree, "defaults")
	base, err := asMap(DefaultRoute())
	if err != nil {
		return nil, err
	}
	for name, route := range routes {
		own, _ := route.(map[string]any)
		routes[name] = routeOf(base, shared, own)
	}
	tree["routes"] = routes
	cfg := &Config{}
	err = decode(tree, cfg)
	for _, r := range cfg.Routes {
		spellMeta(r.Meta)
	}
	return cfg, err
}

// spellMeta gives the keys of meta their slashes back.
func spellMeta(meta map[string]string) {
	for key, value := range meta {
		if spelt := strings.ReplaceAll(key, slash, "/"); spelt != key {
			delete(meta, key)
			meta[spelt] = value
		}
	}
}

// refuseTwice refuses routes that an earlier file has as well.
func (l *loading) refuseTwice(d *document, seen map[string]place) {
	routes, _ := d.tree["routes"].(map[string]any)
	for _, name := range sortedKeys(routes) {
		path := "routes/" + name
		if first, twice := seen[name]; twice {
			at := d.placeOf(path)
			l.problems = append(l.problems, Problem{
				File: at.file, Line: at.line, Column: at.column, Key: dotted(path),
				What: fmt.Sprintf("stands twice, first at %s:%d:%d", first.file, first.line, first.column),
			})
			continue
		}
		seen[name] = d.placeOf(path)
	}
}

// routeOf is a route with what it does not say taken from the defaults: region, unlike the other keys, from
// the upstream's host before that. Service and payload that nobody says are the host's.
func routeOf(base, shared, own map[string]any) map[string]any {
	tree := map[string]any{}
	for _, layer := range []map[string]any{base, inherited(shared, own), own} {
		lay(layer, tree)
	}
	upstream, _ := tree["upstream"].(string)
	host := ""
	if u, err := url.Parse(upstream); err == nil {
		host = u.Hostname()
	}
	service, region, _ := ServiceRegion(host)
	if (own["region"] == nil || own["region"] == "") && region != "" {
		tree["region"] = region
	}
	if tree["service"] == "" {
		tree["service"] = service
	}
	if own["payload"] == nil && shared["payload"] == nil && tree["service"] == lattice {
		tree["payload"] = "unsigned"
	}
	return tree
}

// lay puts a tree over another, map by map, and shares none of its maps with it. koanf does the same by
// walking through the other whole, which 10,000 routes cannot afford.
func lay(over, tree map[string]any) {
	for key, value := range over {
		inner, ok := value.(map[string]any)
		if !ok {
			tree[key] = value
			continue
		}
		under, ok := tree[key].(map[string]any)
		if !ok {
			under = make(map[string]any, len(inner))
			tree[key] = under
		}
		lay(inner, under)
	}
}

// inherited is what a route takes of the defaults: not the headers and tags that it sets itself, in whatever
// case, nothing of assume_role when it takes no role, and neither of profile and profiles when it has the other.
func inherited(shared, own map[string]any) map[string]any {
	shared = maps.Clone(shared)
	mine, _ := own["assume_role"].(map[string]any)
	role, _ := shared["assume_role"].(map[string]any)
	arn, auth := either(mine["arn"], role["arn"]), either(own["upstream_auth"], shared["upstream_auth"])
	if arn == nil || arn == "" || auth == "none" {
		delete(shared, "assume_role")
	} else if role["tags"] != nil {
		role = maps.Clone(role)
		role["tags"] = without(role["tags"], mine["tags"])
		shared["assume_role"] = role
	}
	if mine, _ := own["profiles"].([]any); len(mine) > 0 {
		delete(shared, "profile")
	}
	if own["profile"] != nil || auth == "none" {
		delete(shared, "profiles")
	}
	if own["profiles"] == nil && shared["profiles"] == nil {
		delete(shared, "profile_param")
	}
	if shared["headers"] != nil {
		shared["headers"] = without(shared["headers"], own["headers"])
	}
	return shared
}

// either is the first of two values that is there.
func either(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

// without is a map without the names that another has, in whatever case.
func without(shared, own any) map[string]any {
	all, _ := shared.(map[string]any)
	mine, _ := own.(map[string]any)
	kept := maps.Clone(all)
	for name := range mine {
		maps.DeleteFunc(kept, func(other string, _ any) bool { return strings.EqualFold(name, other) })
	}
	return kept
}

// asMap is a struct as koanf layers it.
func asMap(v any) (map[string]any, error) {
	tree := map[string]any{}
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{Result: &tree, TagName: "koanf"})
	if err != nil {
		return nil, err
	}
	if err := d.Decode(v); err != nil {
		return nil, err
	}
	return tree, nil
}

// decode fills cfg in strictly: nothing is converted but durations and sizes, and no key is left over.
func decode(tree map[string]any, cfg *Config) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: cfg, TagName: "koanf", ErrorUnused: true, MatchName: func(a, b string) bool { return a == b },
		DecodeHook: mapstructure.ComposeDecodeHookFunc(mapstructure.StringToTimeDurationHookFunc(), textToSize),
	})
	if err != nil {
		return err
	}
	return d.Decode(tree)
}

// textToSize reads sizes. check has found them to be some.
func textToSize(from, to reflect.Type, value any) (any, error) {
	if text, ok := value.(string); ok && to == reflect.TypeFor[Size]() {
		return parseSize(text)
	}
	return value, nil
}

func parseSize(text string) (Size, error) {
	number := strings.TrimRight(text, "BKMGi")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, err
	}
	shift := map[string]uint{"B": 0, "KiB": 10, "MiB": 20, "GiB": 30}[text[len(number):]]
	if n > 1<<62>>shift {
		return 0, strconv.ErrRange
	}
	return Size(n << shift), nil
}

// environment is what SIGNET_* variables set: global scalars, each parsed by its key's type.
func (l *loading) environment() *document {
	d := &document{file: "environment", tree: map[string]any{}, places: map[string]place{}}
	paths := map[string]string{}
	for _, path := range scalarsAt("") {
		paths["SIGNET_"+strings.ToUpper(strings.ReplaceAll(path, "/", "_"))] = path
	}
	for _, entry := range l.options.Environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "SIGNET_") || name == "SIGNET_CONFIG" {
			continue
		}
		path, ok := paths[name]
		if !ok {
			hint := "routes and lists are set in the file alone"
			if near := closest(name, slices.Collect(maps.Keys(paths))); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			d.problems = append(d.problems, Problem{File: "environment", Key: name, What: "no such setting", Hint: hint})
			continue
		}
		d.set(path, typed(typeAt(path), value), place{file: "environment: " + name, filled: true})
	}
	return d
}

// flags is what the command line sets.
func (l *loading) flags() *document {
	d := &document{file: "command line", tree: map[string]any{}, places: map[string]place{}}
	for _, key := range sortedKeys(l.options.Flags) {
		path, value := strings.ReplaceAll(key, ".", "/"), l.options.Flags[key]
		if limit, ok := value.(time.Duration); ok {
			value = limit.String()
		}
		d.set(path, value, place{file: "command line"})
	}
	return d
}

// set puts a value into the tree.
func (d *document) set(path string, value any, at place) {
	d.places[path] = at
	parts := strings.Split(path, "/")
	node := d.tree
	for _, part := range parts[:len(parts)-1] {
		inner, ok := node[part].(map[string]any)
		if !ok {
			inner = map[string]any{}
			node[part] = inner
		}
		node = inner
	}
	node[parts[len(parts)-1]] = value
}

func sortedKeys(tree map[string]any) []string { return slices.Sorted(maps.Keys(tree)) }

// hasMeta reports whether a pattern is more than a path.
func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }
