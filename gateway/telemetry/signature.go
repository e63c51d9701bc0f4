package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// A Signature is what a request is signed with. It holds no secret; a field that is zero stands on no span.
type Signature struct {
	// Source says where the credentials come from, and Via how they were come by.
	Source, Via string

	// Generation counts the sets of the route's source.
	Generation uint64

	// KeyID is the access key's id with its middle left out.
	KeyID string

	// Account and Role are whose the credentials are, where known.
	Account, Role string

	// Age is for how long they have been there.
	Age time.Duration

	// Skew is how far the signature's time is ahead of our clock.
	Skew time.Duration
}

// attributes appends the signature's.
func (s Signature) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	attrs = append(attrs,
		attribute.Int64(keyGeneration, int64(s.Generation)),
		attribute.Float64(keyAge, s.Age.Seconds()))
	for _, word := range [...]struct{ key, value string }{
		{keySource, s.Source}, {keyVia, s.Via}, {keyKeyID, s.KeyID}, {keyAccount, s.Account}, {keyRole, s.Role},
	} {
		if word.value != "" {
			attrs = append(attrs, attribute.String(word.key, word.value))
		}
	}
	if s.Skew != 0 {
		attrs = append(attrs, attribute.Float64(keySkew, s.Skew.Seconds()))
	}
	return attrs
}
