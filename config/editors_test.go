package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// editors is the schema as an editor has it.
func editors(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("editors", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("editors")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestEditorsAcceptEveryExample(t *testing.T) {
	schema := editors(t)
	for _, file := range examples(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(parse(file, text).tree); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What Load takes, an editor takes; and what the schema alone can refuse, it refuses in both.
func TestEditorsAndLoadAgree(t *testing.T) {
	schema := editors(t)
	const route = "routes: { a: { upstream: \"http://127.0.0.1:1\", upstream_auth: none, "
	for text, good := range map[string]bool{
		route + "profile: , pool: , tls: { ca_file: } } }":                                             true,
		route + "enabled: \"${ON}\", pool: { max_connections: \"${N}\" } } }":                          true,
		route + "timeouts: { idle: \"${IDLE}\" }, limits: { body: \"${SIZE}\" } } }":                   true,
		"drain:\nlisten:\nlog: { level: \"${LEVEL}\" }\n" + route + "} }":                              true,
		route + "payload: unsigned, credentials: { wait: \"${IDLE}\", timeout: } } }":                  true,
		route + "assume_role: { arn: , tags: { } }, credentials: { instance_metadata: \"${ON}\" } } }": true,
		route + "credentials: { instance_metadata: \"on\" } } }":                                       false,
		route + "credentials: { wait: 10 } } }":                                                        false,
		route + "assume_role: { tags: { a: 1 } } } }":                                                  false,
		route + "assume_role: { duration: long } } }":                                                  false,
		route + "payload: both } }":                                                                    false,
		route + "pool: { max_connections: \"8\" } } }":                                                 false,
		route + "enabled: 1 } }":                                                                       false,
		route + "enabled: \"true\" } }":                                                                false,
		route + "timeouts: { idle: 30 } } }":                                                           false,
		route + "timeouts: { idle: \"30\" } } }":                                                       false,
		route + "limits: { body: 4MB } } }":                                                            false,
		route + "colour: red } }":                                                                      false,
		"log: { level: loud }\n" + route + "} }":                                                       false,
		"telemetry: { sample: 2 }\n" + route + "} }":                                                   false,
		"defaults: { upstream: x }\n" + route + "} }":                                                  false,
		"routes: { a: { profile: dev } }":                                                              false,
		"listen: [8484]\n" + route + "} }":                                                             false,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "signet.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path, Options{Environ: []string{"HOME=" + dir, "ON=true", "N=8", "IDLE=30s", "SIZE=1MiB", "LEVEL=info"}})
		var invalid *jsonschema.ValidationError
		refused := errors.As(schema.Validate(parse(path, []byte(text)).tree), &invalid)
		if (err == nil) != good || refused == good {
			t.Errorf("%q: an editor refuses: %v; Load: %v", text, refused, err)
		}
	}
}
