package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"signet/gateway"
)

// print is the status for people: what serves, the routes, and what to do.
func (s *status) print(w io.Writer) {
	s.printHead(w)
	if len(s.Routes) > 0 {
		fmt.Fprintln(w)
		s.printRoutes(w)
	}
	s.printToDo(w)
	s.printRest(w)
}

func (s *status) printHead(w io.Writer) {
	fmt.Fprintf(w, "signet %s serves %s on %s, up %s\n", s.Version, s.Snapshot.Path, strings.Join(s.Listen, ", "), seconds(s.Uptime))
	fmt.Fprintf(w, "snapshot %d, applied %s ago\n", s.Snapshot.Number, seconds(s.Snapshot.Age))
	if s.Draining {
		fmt.Fprintln(w, "it is shutting down and takes no new calls")
	}
	if s.LastReload.OK {
		return
	}
	fmt.Fprintf(w, "the file was refused %s ago, and what was applied before serves on:\n", s.ago(s.LastReload.At))
	for _, problem := range s.LastReload.Problems {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(problem, "\n", "\n  "))
	}
}

func (s *status) printRoutes(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROUTE\tHEALTH\tCALLS\tSTREAMS\tWAITING\tIDENTITY\tEXPIRES\tWHY")
	for _, r := range s.Routes {
		if r.Health.Admin == gateway.Disabled {
			fmt.Fprintf(table, "%s\t%s\t-\t-\t-\t-\t-\t%s\n", r.Name, r.Health.Admin, r.Health.Summary)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d/%d\t%d/%d\t%d\t%s\t%s\t%s\n", r.Name, r.Health.Level,
			r.Limits.Calls.Running, r.MaxCalls, r.Limits.Streams.Running, r.MaxStreams,
			r.Limits.Calls.Waiting+r.Limits.Streams.Waiting, identity(r), s.expiry(r), line(r.Health.Summary))
	}
	_ = table.Flush()
}

// printToDo says of what is not healthy what a person can do, and the rest that is wrong.
func (s *status) printToDo(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	begun := false
	say := func(who string, a *gateway.Action) {
		if a == nil {
			return
		}
		if !begun {
			fmt.Fprintln(table, "\nTo do:")
			begun = true
		}
		fmt.Fprintf(table, "  %s\t%s\n", who, todo(a))
	}
	if !s.LastReload.OK {
		say("config", &gateway.Action{Text: "mend the file", Command: "signet validate " + s.Snapshot.Path})
	}
	for _, r := range s.Routes {
		say(r.Name, r.Health.Action)
	}
	_ = table.Flush()
}

// printRest is what is worth a line only while there is something of it.
func (s *status) printRest(w io.Writer) {
	var rest []string
	for _, r := range s.Retired {
		rest = append(rest, fmt.Sprintf("replaced: route %s as of snapshot %d still has %s, which end in %s at the latest",
			r.Route, r.Since, count(r.Calls, "call"), seconds(r.EndsIn)))
	}
	if m := s.Memory; m.Sheds > 0 || m.Used > m.Limit/2 {
		rest = append(rest, fmt.Sprintf("memory: buffers hold %s of %s; turned away for lack of it: %d", size(m.Used), size(m.Limit), m.Sheds))
	}
	for _, e := range s.Exports {
		if e.QueueFull+e.Failed > 0 {
			rest = append(rest, fmt.Sprintf("telemetry: of the %s for %s %d were dropped and %d sent%s", e.Signal, e.To, e.QueueFull+e.Failed, e.Exported, because(e.LastError)))
		}
	}
	if len(rest) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(rest, "\n"))
	}
}

// identity is as whom a route signs, as shortly as it can be said.
func identity(r gateway.RouteStatus) string {
	c := r.Credentials
	switch {
	case c == nil:
		return "-"
	case c.KeyID == "" && r.Profile != "":
		return "(" + r.Profile + ")"
	case c.KeyID == "":
		return "(none yet)"
	case c.Account != "" && c.Role != "":
		return c.Account + "/" + c.Role[strings.LastIndexByte(c.Role, '/')+1:]
	case c.Account != "":
		return c.Account
	}
	return c.KeyID
}

// expiry is in how long a route's credentials end.
func (s *status) expiry(r gateway.RouteStatus) string {
	switch c := r.Credentials; {
	case c == nil || c.KeyID == "":
		return "-"
	case c.Expires.IsZero():
		return "never"
	case !c.Expires.After(s.at):
		return "expired"
	default:
		return lasting(c.Expires.Sub(s.at))
	}
}

// ago is how long ago a moment is.
func (s *status) ago(at time.Time) string { return lasting(s.at.Sub(at)) }

// because is the reason for something, if there is one.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + line(reason) + ")"
}

func seconds(s float64) string { return lasting(time.Duration(s * float64(time.Second))) }

// lasting is a duration as people say it, in two units at most.
func lasting(d time.Duration) string {
	d = max(d, 0)
	switch s, m, h := int(d.Seconds()), int(d.Minutes()), int(d.Hours()); {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case h < 24:
		return fmt.Sprintf("%d h %d min", h, m%60)
	default:
		return fmt.Sprintf("%d d %d h", h/24, h%24)
	}
}

// size is a number of bytes as people say it.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// todo is an action in one line: what to type first.
func todo(a *gateway.Action) string {
	if a.Command == "" {
		return line(a.Text)
	}
	return line(a.Command) + "   (" + line(a.Text) + ")"
}

// line is text that keeps to its own line and column.
func line(text string) string { return strings.NewReplacer("\n", " ", "\t", " ").Replace(text) }
