package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"signet/gateway"
)

// A changeList is what a reload did or would do, for a person to read: a line for each route but those kept.
type changeList struct{ gateway.Changes }

// none reports whether nothing changes.
func (c changeList) none() bool {
	return len(c.Added)+len(c.Changed)+len(c.Removed)+len(c.Gateway) == 0
}

func (c changeList) print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range c.Added {
		fmt.Fprintf(table, "  added\t%s\n", name)
	}
	for _, name := range c.Changed {
		fmt.Fprintf(table, "  changed\t%s: %s\n", name, strings.Join(c.Parts[name], ", "))
	}
	for _, name := range c.Removed {
		fmt.Fprintf(table, "  removed\t%s\n", name)
	}
	fmt.Fprintf(table, "  kept\t%s\n", count(len(c.Kept), "route"))
	if len(c.Gateway) > 0 {
		fmt.Fprintf(table, "  beside the routes\t%s\n", strings.Join(c.Gateway, ", "))
	}
	_ = table.Flush()
}
