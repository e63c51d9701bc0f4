package main

// A scenario of the suite's for clients, at a protocol version.
type scenario struct{ name, version string }

// clientScenarios are those that are not about authorization: a gateway that signs is the end of that.
func clientScenarios() []scenario {
	return []scenario{
		{"initialize", "2025-11-25"},
		{"tools_call", "2025-11-25"},
		{"elicitation-sep1034-client-defaults", "2025-11-25"},
		{"sse-retry", "2025-11-25"},
		{"json-schema-2020-12-preservation", "2025-11-25"},
		{"tools_call", modernVersion},
		{"request-metadata", modernVersion},
		{"sep-2322-client-request-state", modernVersion},
		{"http-standard-headers", modernVersion},
		{"http-custom-headers", modernVersion},
		{"http-invalid-tool-headers", modernVersion},
		{"json-schema-ref-no-deref", modernVersion},
		{"json-schema-2020-12-preservation", modernVersion},
	}
}

// versions are the protocol versions that a route carries.
func versions() []string {
	return []string{"2025-03-26", "2025-06-18", "2025-11-25", modernVersion}
}

// scenarioCount is how many scenarios the suite has for servers of a version, so that a run of none of them is
// not taken for one in which all passed.
func scenarioCount(version string) int {
	return map[string]int{"2025-03-26": 1, "2025-06-18": 27, "2025-11-25": 33, modernVersion: 50}[version]
}

// speaks reports whether a server passes all that is scored of a version. The Go SDK's server is of one era; what
// it says to the other is compared all the same.
func speaks(server, version string) bool {
	switch server {
	case "go-legacy":
		return version != modernVersion
	case "go-modern":
		return version == modernVersion
	}
	return true
}
