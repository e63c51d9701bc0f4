package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"signet/config"
)

// A demoLedger is what the pretend AWS saw of one route.
type demoLedger struct {
	keys   map[string]bool // access key ids
	others int             // calls signed as somebody else's identity
	twice  int             // calls executed more than once
}

// ledgers reads the pretend AWS's books, by route.
func (d *demo) ledgers() map[string]*demoLedger {
	byRoute := map[string]*demoLedger{}
	identity := map[string]string{}
	for _, r := range d.config.routes {
		byRoute[r.name] = &demoLedger{keys: map[string]bool{}}
		identity[r.name] = r.identity
	}
	for _, entry := range d.cloud.sandbox.Ledger().Calls() {
		l := byRoute[entry.Server]
		if l == nil {
			continue
		}
		l.keys[entry.AccessKeyID] = true
		if entry.Identity != identity[entry.Server] {
			l.others++
		}
		if entry.Executions > 1 {
			l.twice++
		}
	}
	return byRoute
}

// report prints what happened, and fails when a call did or an identity was mixed up.
func (d *demo) report(took time.Duration) error {
	fmt.Fprintf(d.out, "Four MCP servers on a pretend AWS that checks every signature, one gateway,\n"+
		"%d clients. Nothing left this machine.\n\n", demoWorkers*len(d.config.routes))
	ledgers := d.ledgers()
	d.printRoutes(ledgers)
	fmt.Fprintf(d.out, "\nThe config file was edited %d times while they called:\n\n", len(d.edits))
	for _, e := range d.edits {
		d.printEdit(e)
	}
	if spans := d.trace.richest(); len(spans) > 0 {
		fmt.Fprintf(d.out, "\nOne call as a trace (%s), begin and length:\n\n", spans[0].trace)
		printTree(d.out, spans)
	}
	return d.judge(ledgers, took)
}

func (d *demo) printRoutes(ledgers map[string]*demoLedger) {
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ROUTE\tIDENTITY\tSIGNED FOR\tKEYS\tCALLS\tFAILED\tP50\tP99")
	for _, r := range d.config.routes {
		t := d.traffic.calls[r.name]
		fmt.Fprintf(w, "%s\t%s\t%s/%s\t%d\t%d\t%d\t%s\t%s\n", r.name, r.identity, r.service, r.region, len(ledgers[r.name].keys),
			len(t.took), len(t.failed), milliseconds(t.percentile(0.50)), milliseconds(t.percentile(0.99)))
	}
	_ = w.Flush()
}

// printEdit says what became of an edit: what it changed, or where it was wrong.
func (d *demo) printEdit(e demoOutcome) {
	if e.err == nil {
		c := e.changes
		fmt.Fprintf(d.out, "  %-30s %s: %d added, %d changed, %d removed, %d kept\n", e.what, milliseconds(e.took),
			len(c.Added), len(c.Changed), len(c.Removed), len(c.Kept))
		return
	}
	fmt.Fprintf(d.out, "  %-30s %s: refused, the old one served on\n", e.what, milliseconds(e.took))
	var invalid *config.Invalid
	if !errors.As(e.err, &invalid) {
		fmt.Fprintf(d.out, "      %v\n", e.err)
		return
	}
	for _, problem := range invalid.Problems[:1] {
		text := strings.ReplaceAll(problem.String(), d.dir+string(os.PathSeparator), "")
		fmt.Fprintf(d.out, "      %s\n", strings.ReplaceAll(text, "\n", "\n      "))
	}
}

// judge is the last line, and the error that makes the exit code 1.
func (d *demo) judge(ledgers map[string]*demoLedger, took time.Duration) error {
	var others, twice, calls int
	for route, l := range ledgers {
		others += l.others
		twice += l.twice
		calls += len(d.traffic.calls[route].took)
	}
	failures := d.traffic.failures()
	fmt.Fprintf(d.out, "\n%d calls, %s, %d with another route's identity, %d executed twice, in %.1f s.\n",
		calls, count(len(failures), "failure"), others, twice, took.Seconds())
	var wrong []error
	if len(failures) > 0 {
		wrong = append(wrong, fmt.Errorf("%d calls failed; the first: %w", len(failures), failures[0]))
	}
	if others+twice > 0 {
		wrong = append(wrong, errors.New("calls were signed as another route's identity, or executed twice"))
	}
	for _, e := range d.edits {
		if e.faulty != (e.err != nil) {
			wrong = append(wrong, fmt.Errorf("edit %q: refused is %v, want %v: %w", e.what, e.err != nil, e.faulty, e.err))
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong, d.lastLog())
	}
	return errors.Join(wrong...)
}

// lastLog is the end of the gateway's log, for a demo that went wrong.
func (d *demo) lastLog() error {
	text, err := os.ReadFile(d.logPath())
	if err != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(string(text)))
	return fmt.Errorf("the gateway's log ends:\n%s", strings.Join(lines[max(0, len(lines)-10):], ""))
}

// connect says how a client of the user's own gets in, while the demo stays up.
func (d *demo) connect() {
	fmt.Fprintf(d.out, "\nIt stays up until Ctrl-C. The config file is %s\n", d.config.path())
	for _, r := range d.config.routes {
		fmt.Fprintf(d.out, "  %s/%s\n", d.url(), r.name)
	}
	route := d.config.routes[0].name
	printEntry(d.out, route, d.url()+"/"+route, d.key)
}
