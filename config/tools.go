package config

import "time"

// Tools says which tools of an upstream there are for this route's callers. A pattern is the name of a tool, in
// which * stands for any run of characters and ? for any one.
type Tools struct {
	// ReadOnly lets only tools be listed and called whose annotations say readOnlyHint: true, and those of
	// allow. Default: false.
	ReadOnly bool `koanf:"read_only"`

	// Allow are patterns of the tools that may be listed and called: no others, or with read_only, these as
	// well. Empty: all.
	Allow []string `koanf:"allow"`

	// Deny are patterns of tools that may not, whatever else is said. Their case says nothing.
	Deny []string `koanf:"deny"`

	// Timeouts is how long tools may take, by pattern, instead of timeouts.first_byte, idle and call: by the
	// pattern that is the tool's name, else by the one with the most characters other than wildcards. What takes
	// longer answers its caller with a result that is an error, and is cancelled upstream.
	Timeouts map[string]time.Duration `koanf:"timeouts"`

	// Pin is off (default), or what becomes of a tool whose definition is not the one in the lock beside the
	// config: warn logs it, block lists and calls it no more.
	Pin string `koanf:"pin" jsonschema:"enum=off,enum=warn,enum=block"`
}

// ProfileParam is how the call of a tool names one of a route's profiles.
type ProfileParam struct {
	// Name is the parameter that the tools gain. It is taken out of the call. Default: aws_profile.
	Name string `koanf:"name"`

	// Tools are patterns of the tools that gain it. Default: all.
	Tools []string `koanf:"tools"`
}
