package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// idDigits is how long a call's id is: always the same, so that it can be written into a message in place.
const idDigits = 9

// firstID is the smallest id of so many digits.
const firstID = 100_000_000

// idKey is what stands before an id in every message.
const idKey = `"id":`

// A shape is how long a call and its answer are.
type shape struct {
	name             string
	question, answer int // what fills them, in bytes, beside some hundred of JSON
}

// The shapes of calls.
func small() shape       { return shape{"small", 300, 500} }
func longRequest() shape { return shape{"request", 64 << 10, 500} }
func longAnswer() shape  { return shape{"answer", 300, 64 << 10} }

// body is a call with the first id.
func (s shape) body() []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0",%s%d,"method":"tools/call","params":{"name":"tool","arguments":{"answer":%d,"text":"%s"}}}`,
		idKey, firstID, s.answer, strings.Repeat("q", s.question))
}

// answerOf is what the upstream answers to a call with the first id that asked for an answer so long.
func answerOf(length int) []byte {
	return fmt.Appendf(nil, `{"jsonrpc":"2.0",%s%d,"result":{"content":[{"type":"text","text":"%s"}]}}`,
		idKey, firstID, strings.Repeat("a", length))
}

// idIn is where in a message its id stands; nil if it has none.
func idIn(message []byte) []byte {
	at := bytes.Index(message, []byte(idKey))
	if at < 0 || len(message) < at+len(idKey)+idDigits {
		return nil
	}
	return message[at+len(idKey):][:idDigits]
}

// lengthIn is how long an answer a call asks for.
func lengthIn(call []byte) int {
	_, rest, _ := bytes.Cut(call, []byte(`"answer":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return -1
	}
	return n
}
