package observability

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A prometheus is one that scrapes a gateway.
type prometheus struct {
	*program
	t   *testing.T
	url string
}

// startPrometheus starts one. It scrapes twice in a second.
func (s *stage) startPrometheus() *prometheus {
	s.t.Helper()
	address := freeAddress(s.t)
	s.write("prometheus.yaml", fmt.Sprintf(`global: { scrape_interval: 500ms, scrape_timeout: 500ms }
scrape_configs:
  - job_name: signet
    metrics_path: /-/metrics
    authorization: { credentials_file: %q }
    static_configs: [{ targets: [%q] }]
`, s.path("key"), strings.TrimPrefix(s.url, "http://")))
	p := &prometheus{t: s.t, url: "http://" + address}
	p.program = start(s.t, s.dir, "prometheus", nil, binary(s.t, "PROMETHEUS"),
		"--config.file", s.path("prometheus.yaml"), "--storage.tsdb.path", s.path("tsdb"), "--web.listen-address", address)
	p.listens(s.t, address)
	return p
}

// ask asks Prometheus' API. What it answers goes into what found points at.
func (p *prometheus) ask(path string, found any) error {
	response, err := http.Get(p.url + path)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	said := struct {
		Status, Error string
		Found         any `json:"data"`
	}{Found: found}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return fmt.Errorf("%s: %w", response.Status, err)
	}
	if said.Status != "success" {
		return fmt.Errorf("%s: %s", response.Status, said.Error)
	}
	return nil
}

// samples is how many series an expression has now.
func (p *prometheus) samples(expression string) (int, error) {
	var found struct {
		Result []json.RawMessage `json:"result"`
	}
	err := p.ask("/api/v1/query?query="+url.QueryEscape(expression), &found)
	return len(found.Result), err
}

// names are those of the metrics it has.
func (p *prometheus) names() []string {
	p.t.Helper()
	var names []string
	if err := p.ask("/api/v1/label/__name__/values", &names); err != nil {
		p.t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// scraped waits until two scrapes had a series at n.
func (p *prometheus) scraped(series string, n int) {
	p.t.Helper()
	await(p.t, "two scrapes", func() bool {
		found, err := p.samples(fmt.Sprintf("count_over_time((%s == %d)[10s:500ms]) >= 2", series, n))
		return err == nil && found > 0
	})
}

func TestTheMetricsAreAsPrometheusWantsThem(t *testing.T) {
	s := newStage(t, setting{protocol: "http/protobuf"})
	s.traffic()
	promtool := binary(t, "PROMTOOL")
	scrape := s.scrape()
	if told := output(t, []byte(scrape), promtool, "check", "metrics"); told != "" {
		t.Errorf("promtool check metrics: %s", told)
	}
	if n := strings.Count(scrape, "\n"); n < 300 {
		t.Errorf("only %d lines", n)
	}
	// The control: what is not as it should be is told.
	if err := fails([]byte(scrape+"# TYPE signet_wait_milliseconds gauge\nsignet_wait_milliseconds 1\n"), promtool, "check", "metrics"); err == nil {
		t.Error("promtool lets anything pass")
	}
}
