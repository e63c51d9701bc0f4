package telemetry

import (
	"net/http"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxSeries is how many series are kept made. Their parts are the config's, ours, and bounded words.
const maxSeries = 4096

// A series is what one measurement is counted under. What is zero is no attribute.
type series struct {
	route, method, target, errorType string
	host                             string // of the upstream, with port
	port                             int
	status                           int // of HTTP
}

// options are a series as instruments take it.
type options struct {
	record []metric.RecordOption
	add    []metric.AddOption
}

// known are the series that were measured before: to make a set of attributes costs more than to count one call.
type known struct {
	mu   sync.RWMutex
	made map[series]options // under mu
}

// of is a series' options.
func (k *known) of(s series) options {
	k.mu.RLock()
	o, ok := k.made[s]
	k.mu.RUnlock()
	if ok {
		return o
	}
	set := metric.WithAttributeSet(attribute.NewSet(s.attributes()...))
	o = options{record: []metric.RecordOption{set}, add: []metric.AddOption{set}}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.made == nil || len(k.made) >= maxSeries {
		k.made = map[series]options{}
	}
	k.made[s] = o
	return o
}

func (s series) attributes() []attribute.KeyValue {
	attrs := []attribute.KeyValue{attribute.String(keyRoute, s.route)}
	if s.method != "" {
		attrs = append(attrs, attribute.String(keyMethod, s.method))
	}
	switch {
	case s.target == "":
	case s.method == "prompts/get":
		attrs = append(attrs, attribute.String(keyPrompt, s.target))
	default:
		attrs = append(attrs, attribute.String(keyTool, s.target), attribute.String(keyOperation, "execute_tool"))
	}
	if s.errorType != "" {
		attrs = append(attrs, attribute.String(keyErrorType, s.errorType))
	}
	if s.host != "" {
		attrs = append(attrs, attribute.String(keyServer, s.host), attribute.Int(keyServerPort, s.port))
	}
	if s.status != 0 {
		attrs = append(attrs, attribute.String(keyHTTPStatus, metricStatus(s.status)))
	}
	return attrs
}

// metricStatus is a status of HTTP as metrics carry it: an upstream may answer with any number.
func metricStatus(status int) string {
	if http.StatusText(status) == "" {
		return other
	}
	return strconv.Itoa(status)
}
