package observability

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dashboardFile = "../../examples/observability/grafana/signet.json"

// A panel is one of a dashboard.
type panel struct {
	Title, Type string
	Targets     []struct {
		Expression string `json:"expr"`
		Source     struct {
			UID string `json:"uid"`
		} `json:"datasource"`
	}
}

// A dashboard is one of Grafana's.
type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Definition string
		}
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryPanelShowsMetricsThatAreThere(t *testing.T) {
	s := newStage(t, setting{protocol: "grpc"})
	p := s.startPrometheus()
	for round := range 2 { // so that what counts has grown between two scrapes
		s.traffic()
		p.scraped(`signet_sheds_total{signet_reason="queue_full",signet_route="narrow"}`, round+1)
	}
	d, known := readDashboard(t), p.names()
	panels := 0
	for _, one := range d.Panels {
		if one.Type == "row" {
			continue
		}
		panels++
		for _, target := range one.Targets {
			if target.Source.UID != "prometheus" {
				t.Errorf("%s: asks %q", one.Title, target.Source.UID)
			}
			if err := p.shows(target.Expression, known); err != nil {
				t.Errorf("%s: %v", one.Title, err)
			}
		}
		if len(one.Targets) == 0 {
			t.Errorf("%s asks for nothing", one.Title)
		}
	}
	if panels < 20 {
		t.Errorf("%d panels", panels)
	}
	for _, v := range d.Templating.List {
		of, _, _ := strings.Cut(strings.TrimPrefix(v.Definition, "label_values("), ",")
		for _, name := range metricNames(of) {
			if !slices.Contains(known, name) {
				t.Errorf("the variable %s is of %s, which is not there", v.Name, name)
			}
		}
	}
	// The control: a metric that is nowhere is found out, on its own and beside one that is there.
	for _, expression := range []string{
		"rate(signet_invented_total[$__rate_interval])",
		`sum by (signet_route) (signet_queue_length{signet_route=~"$route"}) or max(signet_invented_total)`,
		`histogram_quantile(0.95, sum by (le) (rate(signet_queue_wait_seconds_bucket[$__range]))) / signet_invented`,
		`signet_queue_length{signet_route="invented"}`,
	} {
		if err := p.shows(expression, known); err == nil {
			t.Errorf("%s passes", expression)
		}
	}
}

// shows reports why an expression of a panel shows nothing: it is none, one of its metrics is not known, or it has no
// value after all kinds of calls.
func (p *prometheus) shows(expression string, known []string) error {
	names := metricNames(expression)
	if len(names) == 0 {
		return fmt.Errorf("%s has no metric", expression)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s is not among the metrics", name)
		}
	}
	n, err := p.samples(substitute(expression))
	if err == nil && n == 0 {
		err = fmt.Errorf("%s has no value", expression)
	}
	return err
}

// substitute puts in what Grafana would for its variables.
func substitute(expression string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$__range", "1m", "$route", ".*").Replace(expression)
}

// metricNames are the metrics that an expression asks for: the words that are none of PromQL's own, no label and no
// function.
func metricNames(expression string) []string {
	// Texts, labels to match and ranges, then the labels of by and its like, hold no metric.
	for _, other := range []string{`"(?:[^"\\]|\\.)*"`, `\{[^}]*\}`, `\[[^\]]*\]`, `\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)`} {
		expression = regexp.MustCompile(other).ReplaceAllString(expression, " ")
	}
	var names []string
	for _, word := range regexp.MustCompile(`\b[a-zA-Z_:][a-zA-Z0-9_:]*\s*\(?`).FindAllString(expression, -1) {
		name := strings.TrimSpace(word)
		if !strings.HasSuffix(name, "(") && !slices.Contains([]string{"and", "or", "unless", "bool", "offset"}, name) {
			names = append(names, name)
		}
	}
	return names
}

func TestMetricsAreToldFromTheRestOfAnExpression(t *testing.T) {
	for expression, want := range map[string]string{
		`up`:     "up",
		`sum(a)`: "a",
		`sum by (b, c) (rate(a{d="e{", f=~"g|h"}[5m])) or vector(0)`:     "a",
		`a / on (b) group_left (c) d > 0.5e3`:                            "a d",
		`histogram_quantile(0.95, sum without (le) (a_bucket)) - time()`: "a_bucket",
		`a offset 5m unless bool_metric`:                                 "a bool_metric",
	} {
		if got := strings.Join(metricNames(expression), " "); got != want {
			t.Errorf("of %s: %q, want %q", expression, got, want)
		}
	}
}
