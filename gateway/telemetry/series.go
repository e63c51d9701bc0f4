package telemetry

import (
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxSeries is how many series are kept made. Their parts are the config's and ours but for the codes of an
// upstream's errors.
const maxSeries = 4096

// A series is what one measurement is counted under. What is zero is no attribute.
type series struct {
	route, method, errorType string
	status                   int // of HTTP
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
	if s.errorType != "" {
		attrs = append(attrs, attribute.String(keyErrorType, s.errorType))
	}
	if s.status != 0 {
		attrs = append(attrs, attribute.String(keyHTTPStatus, strconv.Itoa(s.status)))
	}
	return attrs
}
