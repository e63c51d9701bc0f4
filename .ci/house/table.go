package main

import "slices"

// A rule says what a package may import: packages of ours by their path in the module, of others by import
// path, with /... for all below. Of the standard library it may import all but what is under never.
type rule struct {
	ours, others, never []string
	tests               []string // of ours, for its tests alone; every test has the sandbox
}

// table is who may import whom: a row for each package of the house.
func table() map[string]rule {
	seesCalls := rule{ // policy, bulkhead, telemetry
		ours:   []string{"gateway/envelope"},
		others: slices.Concat(otel(), []string{"golang.org/x/time/...", "github.com/sony/gobreaker/..."}),
	}
	return map[string]rule{
		"cmd/signet": {
			ours: []string{"config", "config/clientfile", "gateway", "gateway/stdio", "gateway/sandbox"},
			others: []string{
				"github.com/spf13/cobra", "go.opentelemetry.io/otel/...", "go.opentelemetry.io/contrib/...",
				"github.com/prometheus/client_golang/...",
				// Colour and what is a terminal are not written by hand: .adr/0006.
				"github.com/lmittmann/tint", "github.com/mattn/go-isatty",
			},
		},
		"config": {
			// mapstructure is koanf's decoder: koanf takes its options in mapstructure's types. levenshtein is
			// the distance behind "did you mean": .adr/0006.
			others: []string{
				"github.com/agnivade/levenshtein",
				"github.com/knadh/koanf/...", "github.com/go-viper/mapstructure/v2", "github.com/goccy/go-yaml/...",
				"github.com/invopop/jsonschema", "github.com/santhosh-tekuri/jsonschema/...", "github.com/fsnotify/fsnotify",
			},
			never: []string{"net/http/..."},
		},
		"config/clientfile": {
			ours:   []string{"config"},
			others: []string{"github.com/tailscale/hujson", "github.com/pelletier/go-toml/...", "github.com/goccy/go-yaml/..."},
		},
		"gateway": {
			ours: []string{
				"config", "gateway/credentials", "gateway/sigv4", "gateway/envelope", "gateway/policy",
				"gateway/bulkhead", "gateway/telemetry", "gateway/aggregate", "gateway/console",
			},
			others: slices.Concat([]string{"github.com/aws/aws-sdk-go-v2/aws"}, otel()),
			never:  []string{"flag", "os/signal"},
		},
		"gateway/credentials": {
			// smithy-go is the SDK's own ground: its errors are smithy's.
			others: slices.Concat(
				[]string{"github.com/aws/aws-sdk-go-v2/...", "github.com/aws/smithy-go/...", "golang.org/x/sync/..."}, otel()),
		},
		"gateway/sigv4": {
			others: []string{"github.com/aws/aws-sdk-go-v2/aws", "github.com/aws/aws-sdk-go-v2/aws/signer/v4"},
		},
		"gateway/envelope":  {others: []string{"github.com/go-json-experiment/json/..."}},
		"gateway/policy":    seesCalls,
		"gateway/bulkhead":  seesCalls,
		"gateway/telemetry": seesCalls,
		"gateway/aggregate": {ours: []string{"gateway/envelope"}},
		"gateway/stdio":     {ours: []string{"gateway/envelope"}},
		"gateway/console":   {},
		// What the sandbox says is compared with what the rooms it stands opposite to say.
		"gateway/sandbox": {tests: []string{"gateway/sigv4", "gateway/envelope"}},
	}
}

// otel is the OpenTelemetry API without its globals: what is traced is handed in.
func otel() []string {
	return []string{
		"go.opentelemetry.io/otel/attribute", "go.opentelemetry.io/otel/baggage", "go.opentelemetry.io/otel/codes",
		"go.opentelemetry.io/otel/metric/...", "go.opentelemetry.io/otel/propagation",
		"go.opentelemetry.io/otel/semconv/...", "go.opentelemetry.io/otel/trace/...",
	}
}
