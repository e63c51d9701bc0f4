package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// compiled is the schema, ready to judge.
func compiled() (*jsonschema.Schema, error) {
	text, err := json.Marshal(schemaOf(reflect.TypeFor[Config](), nil))
	if err != nil {
		return nil, err
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config", parsed); err != nil {
		return nil, err
	}
	return c.Compile("config")
}

// check judges a document by the schema, and takes what is wrong out of its tree so that the rest can be
// judged further.
func (d *document) check(schema *jsonschema.Schema) {
	var invalid *jsonschema.ValidationError
	if err := schema.Validate(d.tree); errors.As(err, &invalid) {
		d.judge(invalid)
	}
	d.ranges("", d.tree)
}

// ranges refuses durations and sizes that have the form of one and are more than one can be.
func (d *document) ranges(path string, node any) {
	var err error
	switch n := node.(type) {
	case map[string]any:
		for _, key := range sortedKeys(n) {
			d.ranges(strings.TrimPrefix(path+"/"+key, "/"), n[key])
		}
	case string:
		switch typeAt(path) {
		case reflect.TypeFor[time.Duration]():
			_, err = time.ParseDuration(n)
		case reflect.TypeFor[Size]():
			_, err = parseSize(n)
		}
	}
	if err != nil {
		d.wrong(path, "is too large", "")
	}
}

// judge turns a finding of the schema, and those under it, into problems.
func (d *document) judge(v *jsonschema.ValidationError) {
	for _, cause := range v.Causes {
		d.judge(cause)
	}
	path := strings.Join(v.InstanceLocation, "/")
	switch k := v.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range k.Properties {
			d.unknown(strings.TrimPrefix(path+"/"+key, "/"), key, keysAt(path))
		}
	case *kind.Type:
		want, hint := article(k.Want[0]), d.typeHint(path, k.Got, k.Want[0])
		if form := d.formOf(path); form != "" && k.Got == "number" {
			want, hint, _ = strings.Cut(strings.TrimPrefix(form, "is no "), ": ")
			want = "a " + want
		}
		what := fmt.Sprintf("is %s, must be %s", article(k.Got), want)
		if text, _ := d.lookup(path).(string); k.Want[0] == "integer" && hint == "" && text != "" && strings.Trim(text, "0123456789") == "" {
			what = "is too large" // the parser takes such a number for text
		}
		d.wrong(path, what, hint)
	case *kind.Enum:
		what := "must be " + listed(k.Want)
		if valueComesLater(path, k.Got) {
			what = fmt.Sprintf("%v is not supported yet; it %s", k.Got, what)
		}
		d.wrong(path, what, "")
	case *kind.Pattern:
		d.wrong(path, d.formOf(path), "")
	case *kind.Minimum, *kind.Maximum:
		d.wrong(path, "must be from 0 to 1", "")
	default:
		if len(v.Causes) == 0 {
			d.wrong(path, "is not what belongs here", "signet schema prints what does")
		}
	}
}

// formOf says how a value that has a form of its own is written; "" for any other.
func (d *document) formOf(path string) string {
	switch typeAt(path) {
	case reflect.TypeFor[Size]():
		return "is no size: write 64KiB, 4MiB or 1GiB"
	case reflect.TypeFor[time.Duration]():
		return "is no duration: write 500ms, 30s, 5m or 1h30m"
	}
	return ""
}

// unknown is a key that there is none of.
func (d *document) unknown(path, key string, known []string) {
	if comesLater(path) {
		d.wrong(path, "not supported yet", "")
		return
	}
	if path == "defaults/upstream" {
		d.wrong(path, "every route has an upstream of its own", "")
		return
	}
	hint := ""
	if near := closest(key, known); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(known) > 0 {
		hint = "known here: " + strings.Join(known, ", ")
	}
	d.wrong(path, "unknown key", hint)
}

// wrong adds a problem and takes the key out of the tree.
func (d *document) wrong(path, what, hint string) {
	at := d.placeOf(path)
	d.problems = append(d.problems, Problem{
		File: at.file, Line: at.line, Column: at.column, Key: dotted(path), What: what, Hint: hint,
	})
	d.remove(path)
}

// remove takes a key out of the tree; of a list, all of it.
func (d *document) remove(path string) {
	above, key := split(path)
	switch node := d.lookup(above).(type) {
	case map[string]any:
		delete(node, key)
	case []any:
		d.remove(above)
	}
}

// lookup is the value at a path, nil if there is none.
func (d *document) lookup(path string) any {
	if path == "" {
		return d.tree
	}
	above, key := split(path)
	switch node := d.lookup(above).(type) {
	case map[string]any:
		return node[key]
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i < len(node) {
			return node[i]
		}
	}
	return nil
}

// split is a path without its last key, and that key.
func split(path string) (above, key string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// closest is the known word that key is most likely meant to be, or "".
func closest(key string, known []string) string {
	best, distance := "", 3
	for _, word := range known {
		d := levenshtein.ComputeDistance(key, word)
		if d < distance && d < max(len(word), 2) {
			best, distance = word, d
		}
	}
	return best
}

// article is a JSON type as people say it.
func article(kind string) string {
	switch kind {
	case "object":
		return "a map"
	case "array":
		return "a list"
	case "integer":
		return "a whole number"
	case "boolean":
		return "true or false"
	case "string":
		return "text"
	}
	if kind == "null" {
		return "empty"
	}
	return "a " + kind
}

func (d *document) typeHint(path, got, want string) string {
	text, _ := d.lookup(path).(string)
	_, same := typed(typeAt(path), text).(string)
	switch {
	case got == "string" && want == "boolean" && !d.placeOf(path).filled:
		return "write true or false, without quotes"
	case got == "string" && !same:
		return "write it without quotes"
	case want == "string" && (got == "number" || got == "integer" || got == "boolean"):
		return "write it in quotes"
	case want == "array":
		return "write it as [a, b], or one \"- a\" a line"
	}
	return ""
}

func listed(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(slices.Clone(words[:len(words)-1]), ", ") + " or " + words[len(words)-1]
}
