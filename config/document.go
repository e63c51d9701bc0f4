package config

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// A place is where something stands in a file.
type place struct {
	file         string
	line, column int
	filled       bool // what stands there came from the environment or a file, and is not printed
}

// A document is one parsed file: plain values, and where each stood.
type document struct {
	file     string // as the operator names it
	tree     map[string]any
	places   map[string]place // by path, keys joined by "/": where the key stands, or the list's element
	problems []Problem

	anchors map[string]ast.Node
	aliases int // followed so far
	inside  int // aliases around what is being read
	aliased int // values read inside of one
}

// parse reads YAML, of which JSON is a part. What it cannot read is among the problems.
func parse(file string, content []byte) *document {
	d := &document{file: file, tree: map[string]any{}, places: map[string]place{}, anchors: map[string]ast.Node{}}
	if len(content) > maxFile {
		d.problem(1, 1, errTooLarge.Error())
		return d
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")) // else the parser counts a comment's line twice
	if line, column, what := unreadable(content); what != "" {
		d.problem(line, column, what)
		return d
	}
	tokens, tooMuch := tokenize(string(content))
	if tooMuch != "" {
		at := tokens[len(tokens)-1].Position
		d.problem(at.Line, at.Column, tooMuch)
		return d
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return d
	}
	d.root(parsed.Docs)
	return d
}

// root reads the one document there may be.
func (d *document) root(docs []*ast.DocumentNode) {
	if len(docs) == 0 || docs[0].Body == nil {
		return
	}
	body := docs[0].Body
	if directive, ok := body.(*ast.DirectiveNode); ok {
		d.at(directive, "directives are not used in a config")
		return
	}
	if len(docs) > 1 && docs[1].Body != nil {
		d.at(docs[1].Body, "a second document: a config is one")
	}
	tree, ok := d.value("", body, 0).(map[string]any)
	if ok {
		d.tree = tree
		return
	}
	if _, null := body.(*ast.NullNode); !null && len(d.problems) == 0 {
		d.at(body, "a config is a map of keys")
	}
}

func (d *document) problem(line, column int, what string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Column: column, What: what})
}

// syntax takes over what the parser found.
func (d *document) syntax(err error) {
	var bad *yaml.SyntaxError
	if errors.As(err, &bad) && bad.Token != nil {
		what := bad.Message
		if strings.Contains(what, "'\t'") {
			what = "a tab cannot indent: write spaces"
		}
		d.problem(bad.Token.Position.Line, bad.Token.Position.Column, what)
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
	if d.inside > 0 {
		if d.aliased++; d.aliased > maxAliased {
			if d.aliased == maxAliased+1 {
				d.at(node, fmt.Sprintf("aliases stand for more than %d values", maxAliased))
			}
			return nil
		}
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
	d.places[path] = place{file: d.file, line: t.Position.Line, column: t.Position.Column}
}

// mapping is a map. A key that stands twice is a problem of both places: the last never wins silently.
func (d *document) mapping(path string, values []*ast.MappingValueNode, depth int) map[string]any {
	tree := map[string]any{}
	for _, v := range values {
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			d.at(v, "merge keys are not used in a config; defaults: gives every route a key")
			continue
		}
		key, ok := keyOf(v.Key)
		if _, last := split(path); ok && last == "meta" {
			key = strings.ReplaceAll(key, "/", slash)
		}
		if !ok || strings.Contains(key, "/") {
			d.at(v.Key, "is no key: keys are plain words")
			continue
		}
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

// slash stands for / in the keys of meta, which may have one: a path of keys must not take them for two.
const slash = "\x1f"

// keyOf is a key's name, and whether it can be one: it is written out.
func keyOf(node ast.MapKeyNode) (string, bool) {
	switch node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
	default:
		return "", false
	}
	key := node.GetToken().Value
	return key, key != "" && !strings.Contains(key, slash)
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
	d.inside++
	defer func() { d.inside-- }()
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
		if text := strings.TrimLeft(n.GetToken().Value, "+-"); strings.Contains(text, "_") || text != "0" && strings.Trim(text, "01234567") == "" && text[0] == '0' {
			d.at(node, "write the number in plain digits: 010 is 8 to some, and 10 to others")
			return nil
		}
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
		case string(r) == slash:
			return '/'
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, path)
}
