package config

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// An expansion fills ${VAR} and ${file:PATH} in. It works on values that are already parsed, so what is
// filled in cannot become structure.
type expansion struct {
	*loading
	doc *document
	dir string // what a relative path is relative to
}

// tree expands all scalars of a value, in place where it can.
func (e *expansion) tree(path string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = e.tree(strings.TrimPrefix(path+"/"+key, "/"), inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = e.tree(fmt.Sprintf("%s/%d", path, i), inner)
		}
	case string:
		if strings.Contains(v, "$") {
			return e.scalar(path, v)
		}
	}
	return value
}

// scalar expands a string. A value that is one variable takes the type of its key.
func (e *expansion) scalar(path, text string) any {
	var b strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			rest = after[1:]
		case strings.HasPrefix(after, "{"):
			name, tail, closed := strings.Cut(after[1:], "}")
			if !closed {
				e.problem(path, "${ without }", "a dollar sign is written $$")
				return text
			}
			b.WriteString(e.value(path, name))
			e.doc.fill(path)
			rest = tail
		default:
			b.WriteByte('$')
			rest = after
		}
	}
	return typed(typeAt(path), b.String())
}

// value is what a name between ${ and } stands for.
func (e *expansion) value(path, name string) string {
	file, isFile := strings.CutPrefix(name, "file:")
	if !isFile {
		value, ok := lookup(e.options.Environ, name)
		if !ok {
			e.problem(path, fmt.Sprintf("the environment variable %s is not set", name), "")
		}
		return value
	}
	if file = ExpandHome(file, e.options.Environ); !filepath.IsAbs(file) {
		file = filepath.Join(e.dir, file)
	}
	content, err := e.contentOf(file)
	if err != nil {
		e.problem(path, fmt.Sprintf("${file:%s}: %s", file, reason(err)), modeHint(err, file))
		return ""
	}
	return string(bytes.TrimRight(content, "\r\n"))
}

func (e *expansion) problem(path, what, hint string) {
	at := e.doc.placeOf(path)
	e.doc.problems = append(e.doc.problems, Problem{
		File: at.file, Line: at.line, Column: at.column, Key: dotted(path), What: what, Hint: hint,
	})
}

// typed is a text as a value of type t, or the text where it is none.
func typed(t reflect.Type, text string) any {
	if t == nil {
		return text
	}
	switch t.Kind() {
	case reflect.Bool:
		if v, err := strconv.ParseBool(text); err == nil && (text == "true" || text == "false") {
			return v
		}
	case reflect.Int:
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v
		}
	case reflect.Float64:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	}
	return text
}

// fill notes that the value at a path is not to be printed.
func (d *document) fill(path string) {
	at := d.placeOf(path)
	at.filled = true
	d.places[path] = at
}

// placeOf is where a path stands, or the nearest that is above it.
func (d *document) placeOf(path string) place {
	for {
		if at, ok := d.places[path]; ok {
			return at
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return place{file: d.file}
		}
		path = path[:i]
	}
}
