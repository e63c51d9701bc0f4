package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// What one file may hold. The parser calls itself for each level and for each key of a map, and its time grows
// with the square of a map's keys: 400 KB of "-  -  -" once took all memory. So tokens are counted before it.
const (
	maxFile    = 1 << 20
	maxDepth   = 64      // maps and lists in each other
	maxAliases = 100     // aliases followed; also the anchors, and the tags, that are written
	maxAliased = 10_000  // values that stand where an alias does
	maxKeys    = 10_000  // keys of one map
	maxTokens  = 200_000 // words and signs
)

// errTooLarge is a file of more than maxFile.
var errTooLarge = errors.New("larger than 1 MiB")

// unreadable says of bytes that are no text where and why, or "".
func unreadable(content []byte) (line, column int, what string) {
	if i := bytes.IndexByte(content, 0); i >= 0 {
		line, column = position(content, i)
		return line, column, "a NUL byte: this is no text file"
	}
	if i := invalid(content); i >= 0 {
		line, column = position(content, i)
		return line, column, "not UTF-8: save it as UTF-8"
	}
	return 0, 0, ""
}

// invalid is the first byte that is not UTF-8, or -1.
func invalid(content []byte) int {
	if utf8.Valid(content) {
		return -1
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// position is where byte i stands.
func position(content []byte, i int) (line, column int) {
	before := content[:i]
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}

// A tokenizer takes a file apart, and stops at the first limit.
type tokenizer struct {
	tokens token.Tokens
	blocks []block // the open maps and lists that are told by columns, the outermost first
	flow   int     // the open brackets
	pairs  int     // colons in a row that nothing separates, between brackets
	marks  map[token.Type]int
}

// A block is a map or list that begins in a column.
type block struct{ column, keys int }

// tokenize is a file's tokens; of one that is too much, those up to where it is, and what of. The scanner takes
// all it is given at once, so it is given the beginning first: what is too much there is no less in the whole.
func tokenize(content string) (tokens token.Tokens, tooMuch string) {
	for size := maxFile / 64; size < len(content); size *= 4 {
		if tokens, tooMuch = scan(content[:size]); tooMuch != "" {
			return tokens, tooMuch
		}
	}
	return scan(content)
}

// scan is the tokens of a text, as tokenize has them.
func scan(text string) (tokens token.Tokens, tooMuch string) {
	var s scanner.Scanner
	s.Init(text)
	t := &tokenizer{marks: map[token.Type]int{}}
	for {
		found, err := s.Scan()
		if errors.Is(err, io.EOF) {
			return t.tokens, ""
		}
		for _, tk := range found {
			what := t.count(tk)
			t.tokens.Add(tk)
			if what != "" {
				return t.tokens, what
			}
		}
	}
}

// count says what there is too much of with this token, or "".
func (t *tokenizer) count(tk *token.Token) string {
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		t.flow++
		t.pairs = 0
	case token.SequenceEndType, token.MappingEndType:
		t.flow = max(0, t.flow-1)
		t.pairs = 0
	case token.CollectEntryType:
		t.pairs = 0
	case token.SequenceEntryType, token.MappingKeyType:
		t.open(tk.Position.Column, 0)
	case token.MappingValueType:
		t.pair()
	case token.AliasType, token.AnchorType, token.TagType:
		t.marks[tk.Type]++
	}
	switch {
	case len(t.blocks)+t.flow+t.pairs > maxDepth:
		return fmt.Sprintf("nested deeper than %d levels", maxDepth)
	case len(t.blocks) > 0 && t.blocks[len(t.blocks)-1].keys > maxKeys:
		return fmt.Sprintf("more than %d keys in one map", maxKeys)
	case t.marks[token.AliasType] > maxAliases:
		return fmt.Sprintf("more than %d aliases", maxAliases)
	case t.marks[token.AnchorType] > maxAliases:
		return fmt.Sprintf("more than %d anchors", maxAliases)
	case t.marks[token.TagType] > maxAliases:
		return "tags are not used in a config"
	case len(t.tokens) >= maxTokens:
		return fmt.Sprintf("more than %d words and signs", maxTokens)
	}
	return ""
}

// pair is a colon after a key.
func (t *tokenizer) pair() {
	if t.flow > 0 {
		t.pairs++
		return
	}
	if n := len(t.tokens); n > 0 {
		t.open(t.tokens[n-1].Position.Column, 1)
	}
}

// open begins a block in a column, or goes on with the one there, and ends those that are further right.
func (t *tokenizer) open(column, keys int) {
	if t.flow > 0 {
		return
	}
	for len(t.blocks) > 0 && t.blocks[len(t.blocks)-1].column > column {
		t.blocks = t.blocks[:len(t.blocks)-1]
	}
	if n := len(t.blocks); n > 0 && t.blocks[n-1].column == column {
		t.blocks[n-1].keys += keys
		return
	}
	t.blocks = append(t.blocks, block{column, keys})
}
