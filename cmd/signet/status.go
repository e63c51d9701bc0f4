package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"signet/gateway"
)

func (p *program) statusCommand() *cobra.Command {
	var file configFile
	var o statusOptions
	status := &cobra.Command{
		Use:   "status [ROUTE]",
		Short: "Say how the running gateway and its routes are, and what to do about it",
		Long: `Say how the running gateway and its routes are, and what to do about it. With ROUTE, say all that is
known of that one: its last failure, credentials, connections and limits.

A route is unhealthy when its calls fail and the next one very likely does too: there are no credentials, AWS
takes none of them, its circuit is open, or of the last twenty calls three in a row failed, or half. It is
degraded when some calls fail, are throttled or find no room, or when credentials that still serve cannot be
renewed. It is healthy again as soon as its calls are answered, its credentials can be fetched or the files they
come from change; a failure that no call has followed is forgotten after five minutes, lack of room after one.

Exit codes: 0 answered; 1 no gateway runs for this file; 2 there is no such route; 4, with --check, something
that was asked about is unhealthy.`,
		Args: cobra.MaximumNArgs(1),
		RunE: verb(func(args []string) error {
			path, err := file.path(p.environ)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				o.route = args[0]
			}
			return p.status(path, o)
		}),
	}
	file.flag(status)
	status.Flags().BoolVar(&o.asJSON, "json", false, "print what /-/status answers; with ROUTE, with no other route")
	status.Flags().BoolVar(&o.check, "check", false, "end with 4 when a route, or ROUTE, is unhealthy")
	return status
}

// statusOptions are what is asked about, and how the answer is given.
type statusOptions struct {
	route  string // empty: all
	asJSON bool
	check  bool
}

// status prints how the gateway of a config file is.
func (p *program) status(path string, o statusOptions) error {
	stop, _, release := signals()
	defer release()
	g, err := p.running(path)
	if err != nil {
		return err
	}
	said, err := g.status(stop)
	if err != nil {
		return err
	}
	s, err := readStatus(said, time.Now())
	if err != nil {
		return fmt.Errorf("the gateway of %s answered what this version does not understand: %w", g.config, err)
	}
	if o.route != "" {
		if err := s.only(o.route); err != nil {
			return &exit{exitUsage, err}
		}
	}
	if err := p.printStatus(s, said, o); err != nil {
		return err
	}
	if o.check && s.unhealthy(o.route) {
		return &exit{exitHealth, nil}
	}
	return nil
}

func (p *program) printStatus(s *status, said []byte, o statusOptions) error {
	var text bytes.Buffer
	switch {
	case o.asJSON && o.route != "":
		return p.printJSON(s)
	case o.asJSON:
		if err := json.Indent(&text, said, "", "  "); err != nil {
			return err
		}
		_, err := p.stdout.Write(text.Bytes())
		return err
	case o.route != "":
		s.printRoute(&text, s.Routes[0])
	default:
		s.print(&text)
	}
	_, err := p.stdout.Write(printable(text.Bytes()))
	return err
}

// A status is what a gateway says of itself.
type status struct {
	gateway.Status
	at time.Time // when it did
}

// readStatus reads what the gateway answered, which may be of another version: fields are only ever added to a
// schema.
func readStatus(said []byte, at time.Time) (*status, error) {
	s := status{at: at}
	if err := json.Unmarshal(said, &s); err != nil {
		return nil, err
	}
	if s.Schema != 1 {
		return nil, fmt.Errorf("schema %d", s.Schema)
	}
	return &s, nil
}

// only leaves nothing but the named route.
func (s *status) only(name string) error {
	i := slices.IndexFunc(s.Routes, func(r gateway.RouteStatus) bool { return r.Name == name })
	if i < 0 {
		var names []string
		for _, r := range s.Routes {
			names = append(names, r.Name)
		}
		return fmt.Errorf("no route %q in %s; there are: %s", name, s.Snapshot.Path, strings.Join(names[:min(len(names), 20)], ", "))
	}
	s.Routes = s.Routes[i : i+1]
	return nil
}

// unhealthy reports whether the named route is, or, without a name, anything.
func (s *status) unhealthy(route string) bool {
	if route == "" {
		return s.Health.Level == gateway.Unhealthy
	}
	return s.Routes[0].Health.Level == gateway.Unhealthy
}

// printable is text without what would steer a terminal: some words come from upstreams and their certificates.
func printable(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, text)
}
