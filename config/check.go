package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// compiled is the schema, ready to judge.
func compiled() (*jsonschema.Schema, error) {
	text, err := json.Marshal(schemaOf(reflect.TypeFor[Config]()))
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
		d.wrong(path, fmt.Sprintf("is %s, must be %s", article(k.Got), article(k.Want[0])), typeHint(k.Got, k.Want[0]))
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
	}
}

// formOf says how a value that has a form of its own is written.
func (d *document) formOf(path string) string {
	if typeAt(path) == reflect.TypeFor[Size]() {
		return "is no size: write 64KiB, 4MiB or 1GiB"
	}
	return "is no duration: write 500ms, 30s, 5m or 1h30m"
}

// unknown is a key that there is none of.
func (d *document) unknown(path, key string, known []string) {
	if comesLater(path) {
		d.wrong(path, "not supported yet", "")
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
	parts := strings.Split(path, "/")
	var node any = d.tree
	for _, part := range parts[:len(parts)-1] {
		inner, ok := node.(map[string]any)
		if !ok {
			return
		}
		node = inner[part]
	}
	if inner, ok := node.(map[string]any); ok {
		delete(inner, parts[len(parts)-1])
	}
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
	return "a " + kind
}

func typeHint(got, want string) string {
	switch {
	case got == "string" && (want == "integer" || want == "number" || want == "boolean"):
		return "write it without quotes"
	case want == "string" && (got == "number" || got == "integer" || got == "boolean"):
		return "write it in quotes, and with its unit if it has one"
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
