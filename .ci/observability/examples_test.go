package observability

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const examples = "../../examples/observability"

func TestTheExamplesAreWhatTheirProgramsTake(t *testing.T) {
	for _, c := range []struct{ program, good, bad, part string }{
		{"SIGNET", "signet.yaml", "telemetry:", "telemetrie:"},
		{"COLLECTOR", "collector.yaml", "exporters: [debug]", "exporters: [invented]"},
		{"PROMTOOL", "prometheus.yaml", "scrape_interval:", "scrape_intervall:"},
		{"COMPOSE", "compose.yaml", "    image: grafana", "    imagine: grafana"},
	} {
		t.Run(c.good, func(t *testing.T) {
			check := map[string][]string{
				"SIGNET": {"validate"}, "COLLECTOR": {"validate", "--config"}, "PROMTOOL": {"check", "config"},
			}[c.program]
			path := filepath.Join(examples, c.good)
			output(t, nil, binary(t, c.program), append(check, path)...)
			// The control: a word that is wrong is found.
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			wrong := strings.Replace(string(text), c.bad, c.part, 1)
			if wrong == string(text) {
				t.Fatalf("%s has no %q", path, c.bad)
			}
			path = filepath.Join(t.TempDir(), c.good)
			if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := fails(nil, binary(t, c.program), append(check, path)...); err == nil {
				t.Errorf("%s passes for good", c.part)
			}
		})
	}
}

// A project is a compose file as docker compose reads it.
type project struct {
	Services map[string]struct {
		Image   string   `json:"image"`
		Command []string `json:"command"`
		Ports   []struct {
			Host string `json:"host_ip"`
		} `json:"ports"`
		Volumes []struct {
			Source   string `json:"source"`
			Target   string `json:"target"`
			ReadOnly bool   `json:"read_only"`
		} `json:"volumes"`
	} `json:"services"`
}

func TestTheServicesOfTheExampleFindTheirFilesAndListenHereAlone(t *testing.T) {
	var p project
	if err := json.Unmarshal([]byte(output(t, nil, binary(t, "COMPOSE"), filepath.Join(examples, "compose.yaml"))), &p); err != nil {
		t.Fatal(err)
	}
	mounted := 0
	for _, name := range []string{"collector", "jaeger", "prometheus", "grafana"} {
		service, ok := p.Services[name]
		if !ok {
			t.Errorf("no %s", name)
		}
		if _, version, _ := strings.Cut(service.Image, ":"); version == "" || version == "latest" {
			t.Errorf("%s: the image %s is another one tomorrow", name, service.Image)
		}
		for _, port := range service.Ports {
			if port.Host != "127.0.0.1" {
				t.Errorf("%s listens on %q", name, port.Host)
			}
		}
		targets := map[string]bool{}
		for _, v := range service.Volumes {
			mounted++
			targets[v.Target] = true
			if file, err := os.Stat(v.Source); err != nil || !file.Mode().IsRegular() || !v.ReadOnly {
				t.Errorf("%s: mounts %s, read only %v: %v", name, v.Source, v.ReadOnly, err)
			}
		}
		for _, argument := range service.Command {
			for _, flag := range []string{"--config=", "--config.file="} {
				if file, ok := strings.CutPrefix(argument, flag); ok && !targets[file] {
					t.Errorf("%s reads %s, which is not mounted", name, file)
				}
			}
		}
	}
	if mounted < 5 {
		t.Errorf("%d files are mounted", mounted)
	}
}

func TestGrafanaFindsItsSourcesAndItsDashboard(t *testing.T) {
	var sources struct {
		Datasources []struct{ UID, Type, URL string }
	}
	var providers struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	for name, into := range map[string]any{"datasources": &sources, "dashboards": &providers} {
		text, err := os.ReadFile(filepath.Join(examples, "grafana", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
	// Where the ports of compose.yaml's services are, and the uid that panels name.
	want := map[string]string{"prometheus": "http://prometheus:9090", "jaeger": "http://jaeger:16686"}
	for _, s := range sources.Datasources {
		if s.UID != s.Type || s.URL != want[s.Type] {
			t.Errorf("source %+v", s)
		}
		delete(want, s.Type)
	}
	if len(want) > 0 {
		t.Errorf("no source of %v", want)
	}
	if p := providers.Providers; len(p) != 1 || p[0].Type != "file" || p[0].Options.Path != "/var/lib/signet" {
		t.Errorf("dashboards are from %+v", p)
	}
	d := readDashboard(t)
	for _, question := range []string{"What is slow", "What fails", "Whose credentials expire next", "What waits in queues"} {
		found := false
		for _, one := range d.Panels {
			found = found || one.Type == "row" && one.Title == question
		}
		if !found {
			t.Errorf("no row asks: %s", question)
		}
	}
}
