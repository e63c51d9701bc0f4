package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxDepth   = 64  // maps and lists in each other
	maxAliases = 100 // aliases followed in one file
)

// A place is where something stands in a file.
type place struct {
	file         string
	line, column int
}

// A document is one parsed file: plain values, and where each stood.
type document struct {
	file     string // as the operator names it
	tree     map[string]any
	places   map[string]place // by path, keys joined by "/": where the key stands, or the list's element
	problems []Problem

	anchors map[string]ast.Node
	aliases int
}

// parse reads YAML, of which JSON is a part. What it cannot read is among the problems.
func parse(file string, content []byte) *document {
	d := &document{file: file, tree: map[string]any{}, places: map[string]place{}, anchors: map[string]ast.Node{}}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if what := unreadable(content); what != "" {
		d.problem(1, 1, what)
		return d
	}
	parsed, err := parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return d
	}
	if len(parsed.Docs) > 1 && parsed.Docs[1].Body != nil {
		at := parsed.Docs[1].Body.GetToken().Position
		d.problem(at.Line, at.Column, "a second document: a config is one")
	}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		return d
	}
	body := parsed.Docs[0].Body
	tree, ok := d.value("", body, 0).(map[string]any)
	if !ok {
		if _, null := body.(*ast.NullNode); !null && len(d.problems) == 0 {
			at := body.GetToken().Position
			d.problem(at.Line, at.Column, "a config is a map of keys")
		}
		return d
	}
	d.tree = tree
	return d
}

// unreadable says why a file is not even parsed, or "".
func unreadable(content []byte) string {
	if len(content) > maxFile {
		return fmt.Sprintf("the file is larger than %d bytes", maxFile)
	}
	if found := bytes.Contains(content, []byte{0}); found {
		return "a NUL byte: this is no text file"
	}
	// The parser recurses: how deep is told by brackets, and by dashes in a row.
	depth, deepest := 0, 0
	for _, c := range content {
		switch c {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(0, depth-1)
		}
	}
	if deepest > maxDepth || bytes.Contains(content, []byte(strings.Repeat("- ", maxDepth+1))) {
		return fmt.Sprintf("nested deeper than %d levels", maxDepth)
	}
	return ""
}

func (d *document) problem(line, column int, what string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Column: column, What: what})
}

// syntax takes over what the parser found.
func (d *document) syntax(err error) {
	var bad *yaml.SyntaxError
	if errors.As(err, &bad) && bad.Token != nil {
		d.problem(bad.Token.Position.Line, bad.Token.Position.Column, bad.Message)
		return
	}
	d.problem(1, 1, "not YAML")
}

// value is a node as a plain value: map, slice, string, bool, int, float64 or nil.
func (d *document) value(path string, node ast.Node, depth int) any {
	if depth > maxDepth {
		d.at(node, fmt.Sprintf("nested deeper than %d levels", maxDepth))
		return nil
	}
	switch n := node.(type) {
	case *ast.MappingNode:
		return d.mapping(path, n.Values, depth)
	case *ast.MappingValueNode:
		return d.mapping(path, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, element := range n.Values {
			inner := fmt.Sprintf("%s/%d", path, i)
			d.mark(inner, element.GetToken())
			list[i] = d.value(inner, element, depth+1)
		}
		return list
	case *ast.AnchorNode:
		d.anchors[n.Name.String()] = n.Value
		return d.value(path, n.Value, depth)
	case *ast.AliasNode:
		return d.alias(path, n, depth)
	case *ast.TagNode:
		d.at(n, "tags are not used in a config")
		return nil
	}
	return d.scalar(node)
}

func (d *document) at(node ast.Node, what string) {
	at := node.GetToken().Position
	d.problem(at.Line, at.Column, what)
}

func (d *document) mark(path string, t *token.Token) {
	d.places[path] = place{d.file, t.Position.Line, t.Position.Column}
}

// mapping is a map. A key that stands twice is a problem of both places: the last never wins silently.
func (d *document) mapping(path string, values []*ast.MappingValueNode, depth int) map[string]any {
	tree := map[string]any{}
	for _, v := range values {
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			d.at(v, "merge keys are not used in a config; defaults: gives every route a key")
			continue
		}
		key := v.Key.GetToken().Value
		inner := strings.TrimPrefix(path+"/"+key, "/")
		if first, twice := d.places[inner]; twice {
			at := v.Key.GetToken().Position
			d.problems = append(d.problems, Problem{
				File: d.file, Line: at.Line, Column: at.Column, Key: dotted(inner),
				What: fmt.Sprintf("stands twice, first at %d:%d", first.line, first.column),
			})
			continue
		}
		d.mark(inner, v.Key.GetToken())
		tree[key] = d.value(inner, v.Value, depth+1)
	}
	return tree
}

func (d *document) alias(path string, n *ast.AliasNode, depth int) any {
	d.aliases++
	if d.aliases > maxAliases {
		if d.aliases == maxAliases+1 {
			d.at(n, fmt.Sprintf("more than %d aliases", maxAliases))
		}
		return nil
	}
	target, ok := d.anchors[n.Value.String()]
	if !ok {
		d.at(n, "an alias of no anchor before it")
		return nil
	}
	return d.value(path, target, depth+1)
}

func (d *document) scalar(node ast.Node) any {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			return v
		case uint64:
			if v <= math.MaxInt64 {
				return int64(v)
			}
		}
		d.at(node, "the number is too large")
	case *ast.NullNode:
	default:
		d.at(node, "this is no value of a config")
	}
	return nil
}

// dotted is a path as people write it, on one line.
func dotted(path string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '/':
			return '.'
		case r < ' ' || r == 0x7f:
			return '?'
		}
		return r
	}, path)
}
