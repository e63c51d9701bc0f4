package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// each reads bodies one by one.
func each(read func([]byte) ([]reading, error)) func([]body) ([]answer, error) {
	return func(bodies []body) ([]answer, error) {
		answers := make([]answer, len(bodies))
		for i, b := range bodies {
			messages, err := read(b.text)
			if answers[i].Messages = messages; err != nil {
				answers[i] = answer{Refused: err.Error()}
			}
		}
		return answers, nil
	}
}

// isBatch reports whether a text begins as an array does.
func isBatch(text []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "[")
}

// named is what a method's name is: that of a tool, a prompt, or a resource.
func named(method, name, uri string) string {
	switch method {
	case "tools/call", "prompts/get":
		return name
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		return uri
	}
	return ""
}

// standard reads as a server in Go does.
func standard(text []byte) ([]reading, error) {
	type message struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	var all []message
	if isBatch(text) {
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, err
		}
	} else {
		all = make([]message, 1)
		if err := json.Unmarshal(text, &all[0]); err != nil {
			return nil, err
		}
	}
	var messages []reading
	for _, m := range all {
		var p struct {
			Name any `json:"name"`
			URI  any `json:"uri"`
		}
		_ = json.Unmarshal(m.Params, &p) // a list, or nothing: there is no name
		name, _ := p.Name.(string)
		uri, _ := p.URI.(string)
		messages = append(messages, reading{string(m.ID), m.Method, named(m.Method, name, uri)})
	}
	return messages, nil
}

// second reads as one that was built with the next version of it does.
func second(text []byte) ([]reading, error) {
	type message struct {
		ID     jsontext.Value `json:"id"`
		Method string         `json:"method"`
		Params jsontext.Value `json:"params"`
	}
	var all []message
	if isBatch(text) {
		if err := jsonv2.Unmarshal(text, &all); err != nil {
			return nil, err
		}
	} else {
		all = make([]message, 1)
		if err := jsonv2.Unmarshal(text, &all[0]); err != nil {
			return nil, err
		}
	}
	var messages []reading
	for _, m := range all {
		var p struct {
			Name any `json:"name"`
			URI  any `json:"uri"`
		}
		_ = jsonv2.Unmarshal(m.Params, &p)
		name, _ := p.Name.(string)
		uri, _ := p.URI.(string)
		messages = append(messages, reading{string(m.ID), m.Method, named(m.Method, name, uri)})
	}
	return messages, nil
}

// sdk reads as servers made with the Go SDK do: the message by its jsonrpc package, params into its types.
func sdk(text []byte) ([]reading, error) {
	var raw []json.RawMessage
	if !isBatch(text) {
		raw = append(raw, text)
	} else if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	var messages []reading
	for _, one := range raw {
		m, err := jsonrpc.DecodeMessage(one)
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *jsonrpc.Response:
			messages = append(messages, reading{ID: token(m.ID)})
		case *jsonrpc.Request:
			name, err := paramsOf(m)
			if err != nil {
				return nil, err
			}
			messages = append(messages, reading{token(m.ID), m.Method, name})
		default:
			return nil, errors.New("neither a request nor an answer")
		}
	}
	return messages, nil
}

// paramsOf is the name that the SDK's own types find in a request.
func paramsOf(m *jsonrpc.Request) (string, error) {
	var tool mcp.CallToolParamsRaw
	var prompt mcp.GetPromptParams
	var resource mcp.ReadResourceParams
	var err error
	switch m.Method {
	case "tools/call":
		err = json.Unmarshal(m.Params, &tool)
		return tool.Name, err
	case "prompts/get":
		err = json.Unmarshal(m.Params, &prompt)
		return prompt.Name, err
	case "resources/read", "resources/subscribe", "resources/unsubscribe":
		err = json.Unmarshal(m.Params, &resource)
		return resource.URI, err
	}
	return "", nil
}

// token is an id of the SDK as JSON.
func token(id jsonrpc.ID) string {
	if !id.IsValid() {
		return ""
	}
	text, _ := json.Marshal(id.Raw())
	return string(text)
}

// sameValue reports whether got, an id as the SDK keeps it, is what it makes of the token want.
func sameValue(got, want string) bool {
	if want == "null" {
		want = ""
	}
	if got == want {
		return true
	}
	if strings.HasPrefix(want, `"`) {
		var a, b string
		return json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal([]byte(want), &b) == nil && a == b
	}
	whole, err := strconv.ParseInt(got, 10, 64)
	value, err2 := strconv.ParseFloat(want, 64)
	return err == nil && err2 == nil && (float64(whole) == value || math.Abs(value) >= math.MaxInt64)
}

// program is a reader in another language: the bodies go in as a JSON array of base64, the answers come out so.
func program(name string, arguments ...string) func([]body) ([]answer, error) {
	return func(bodies []body) ([]answer, error) {
		texts := make([][]byte, len(bodies))
		for i, b := range bodies {
			texts[i] = b.text
		}
		in, err := json.Marshal(texts)
		if err != nil {
			return nil, err
		}
		command := exec.Command(name, arguments...)
		command.Stdin = strings.NewReader(string(in))
		out, err := command.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		if err != nil {
			return nil, err
		}
		var answers []answer
		if err := json.Unmarshal(out, &answers); err != nil {
			return nil, err
		}
		if len(answers) != len(bodies) {
			return nil, fmt.Errorf("%d answers to %d bodies", len(answers), len(bodies))
		}
		return answers, nil
	}
}

// nodeFlags are what makes Node tell a number's text: 20 has it behind a flag, newer ones need none and know none.
func nodeFlags(script string) []string {
	const flag = "--harmony-json-parse-with-source"
	if exec.Command("node", flag, "-e", "0").Run() == nil {
		return []string{flag, script}
	}
	return []string{script}
}
