package gateway

import "time"

// An ExportStatus is how one kind of telemetry that is sent somewhere fares.
type ExportStatus struct {
	// Signal is traces, metrics or logs, and To otlp, console, or what the environment names.
	Signal string `json:"signal"`
	To     string `json:"to"`

	// Exported is how many spans, records or times of all metrics were sent since the start. QueueFull were dropped
	// because too many waited, and Failed because they could not be sent.
	Exported  uint64 `json:"exported"`
	QueueFull uint64 `json:"dropped_queue_full"`
	Failed    uint64 `json:"dropped_failed"`

	// Queued wait to be sent, of at most Queue. Zero of both: nothing waits.
	Queued int `json:"queued"`
	Queue  int `json:"queue"`

	// LastError is why they could not be sent the last time, and LastErrorAt when. Empty: they always could.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
}

// exports are how all kinds fare that are sent.
func (g *Gateway) exports() []ExportStatus {
	if g.options.Exports == nil {
		return nil
	}
	return g.options.Exports()
}
