package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"signet/gateway/envelope"
)

// benchBodies are bodies as they come: a small call, a large one that is one text, and one of many small values.
func benchBodies() map[string][]byte {
	element := `{"id":12.5e3,"ok":true,"text":"line\nfeed \"quoted\" \u00e9","名":"日本語 Ελληνικά","none":null},`
	call := func(arguments string) []byte {
		return []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":` + arguments + `}}}`)
	}
	return map[string][]byte{
		"0.5KiB":           call(`"` + strings.Repeat("x", 400) + `"`),
		"64KiB":            call(`"` + strings.Repeat("x", 64<<10) + `"`),
		"64KiBofStructure": call(`[` + strings.Repeat(element, 600) + `0]`),
	}
}

// BenchmarkReaders compares the gateway's reader with one that does the least of its work with jsontext.
func BenchmarkReaders(b *testing.B) {
	for name, body := range benchBodies() {
		for _, r := range []struct {
			name string
			read func([]byte) error
		}{
			{"own", func(text []byte) error { _, err := envelope.Read(text); return err }},
			{"ownStrict", func(text []byte) error { _, err := envelope.ReadStrict(text); return err }},
			{"jsontext", func(text []byte) error { _, err := withJSONText(text, jsontext.AllowDuplicateNames(true)); return err }},
			{"jsontextStrict", func(text []byte) error { _, err := withJSONText(text); return err }},
		} {
			b.Run(r.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := r.read(body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// withJSONText takes id, method and name of a message with the tokens of jsontext. It looks at no other key and for
// no case variant.
func withJSONText(text []byte, options ...jsontext.Options) (reading, error) {
	var r reading
	d := jsontext.NewDecoder(bytes.NewBuffer(text), options...)
	err := members(d, func(key string) error {
		switch key {
		case "id":
			value, err := d.ReadValue()
			r.ID = string(value)
			return err
		case "method":
			token, err := d.ReadToken()
			r.Method = token.String()
			return err
		case "params":
			return members(d, func(key string) error {
				if key != "name" {
					return d.SkipValue()
				}
				token, err := d.ReadToken()
				r.Name = token.String()
				return err
			})
		}
		return d.SkipValue()
	})
	if err != nil {
		return r, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return r, errors.New("something after the message")
	}
	return r, nil
}

// members reads an object's keys.
func members(d *jsontext.Decoder, member func(key string) error) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := member(key.String()); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func TestTheReaderThatIsComparedReadsTheSame(t *testing.T) {
	for name, body := range benchBodies() {
		got, err := withJSONText(body)
		if want := gateway(body).Messages[0]; err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}
