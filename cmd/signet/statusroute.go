package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"signet/config"
	"signet/gateway"
)

// printRoute is all that is known of a route, for people.
func (s *status) printRoute(w io.Writer, r gateway.RouteStatus) {
	word := r.Health.Level
	if r.Health.Admin != gateway.Enabled {
		word = r.Health.Admin
	}
	fmt.Fprintf(w, "%s: %s\n  %s\n", r.Name, word, line(r.Health.Summary))
	if a := r.Health.Action; a != nil {
		fmt.Fprintf(w, "  To do: %s\n", todo(a))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer func() { _ = table.Flush() }()
	row := func(what, format string, a ...any) {
		fmt.Fprintf(table, "  %s\t%s\n", what, line(fmt.Sprintf(format, a...)))
	}
	row("upstream", "%s", r.Upstream)
	if r.Health.Admin == gateway.Disabled {
		return
	}
	s.describeIdentity(row, r)
	describeLoad(row, r)
	s.describeHistory(row, r.History)
	row("unchanged", "since snapshot %d", r.Since)
}

func (s *status) describeIdentity(row func(string, string, ...any), r gateway.RouteStatus) {
	c := r.Credentials
	if c == nil {
		row("signed for", "nobody (upstream_auth: %s)", r.Auth)
		return
	}
	region := r.Region
	if region == "" {
		region = "(the profile's)"
	}
	row("signed for", "%s/%s (upstream_auth: %s)", r.Service, region, r.Auth)
	row("credentials", "%s", joined(c.Source, c.Via))
	if c.KeyID == "" {
		row("held", "none")
	} else {
		row("held", "%s", joined("key "+c.KeyID, labelled("account ", c.Account), c.Role, fmt.Sprintf("fetched %s ago", s.ago(c.Obtained))))
		row("end", "%s", s.end(c.Expires))
	}
	switch last := c.LastRefresh; {
	case last == nil:
	case last.Error == "":
		row("last fetch", "%s ago, took %s", s.ago(last.At), last.Took.Round(time.Millisecond))
	default:
		row("last fetch", "failed %s ago, took %s: %s", s.ago(last.At), last.Took.Round(time.Millisecond), last.Error)
	}
	if p := c.Problem; p != nil {
		row("why", "%s", p.Message)
	}
	switch {
	case r.ClockSkew > 0:
		row("clock", "AWS's is %g s ahead of this machine's", r.ClockSkew)
	case r.ClockSkew < 0:
		row("clock", "AWS's is %g s behind this machine's", -r.ClockSkew)
	}
}

// end is when credentials do, for a page.
func (s *status) end(at time.Time) string {
	switch left := at.Sub(s.at); {
	case at.IsZero():
		return "never"
	case left <= 0:
		return fmt.Sprintf("%s ago; the next call fetches others", lasting(-left))
	default:
		return fmt.Sprintf("in %s, at %s", lasting(left), at.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
}

func describeLoad(row func(string, string, ...any), r gateway.RouteStatus) {
	l := r.Limits
	row("calls", "%d of %d, %d waiting of %d", l.Calls.Running, r.MaxCalls, l.Calls.Waiting, r.MaxQueue)
	row("streams", "%d of %d, %d waiting", l.Streams.Running, r.MaxStreams, l.Streams.Waiting)
	row("connections", "%d open of %d", r.Connections, r.MaxConnections)
	circuit := strings.ReplaceAll(l.Circuit, "_", " ")
	if l.OpenFor > 0 {
		circuit += " for " + seconds(l.OpenFor)
	}
	row("circuit", "%s", circuit)
	if len(l.Sheds) > 0 {
		var sheds []string
		for _, reason := range slices.Sorted(maps.Keys(l.Sheds)) {
			sheds = append(sheds, fmt.Sprintf("%s %d", reason, l.Sheds[reason]))
		}
		row("turned away", "%s", strings.Join(sheds, ", "))
	}
}

func (s *status) describeHistory(row func(string, string, ...any), h gateway.HistoryStatus) {
	if h.Answered.IsZero() {
		row("last answer", "none yet")
	} else {
		row("last answer", "%s ago", s.ago(h.Answered))
	}
	for _, kind := range []struct {
		what string
		gateway.Recent
	}{
		{"failed", h.Failed}, {"not signed", h.Refused}, {"throttled", h.Throttled}, {"no room", h.Shed}, {"given up", h.Deserted},
	} {
		f := kind.Last
		if f == nil {
			continue
		}
		row(kind.what, "%d of the last %s; the last %s ago: %s", kind.Bad, count(kind.Calls, "call"), s.ago(f.At), f.Message)
		row("", "%s", joined(errorName(f), labelled("upstream status ", number(f.Status)), f.Outcome))
		switch {
		case f.TraceID == "":
		case s.TraceURL == "":
			row("", "trace %s", f.TraceID)
		default:
			row("", "trace %s", strings.ReplaceAll(s.TraceURL, config.TracePlace, f.TraceID))
		}
	}
}

// errorName is how an error is named. A client that left got none.
func errorName(f *gateway.Failure) string {
	if f.Code == 0 {
		return f.Reason
	}
	return fmt.Sprintf("%d %s", f.Code, f.Reason)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// labelled is a word with what it is before it, or empty as the word is.
func labelled(what, word string) string {
	if word == "" {
		return ""
	}
	return what + word
}

// joined are the words that there are.
func joined(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), ", ")
}
