package observability

import (
	"bytes"
	"strings"
	"testing"
)

func TestNothingSecretReachesACollector(t *testing.T) {
	for _, protocol := range protocols() {
		t.Run(protocol, func(t *testing.T) {
			s := newStage(t, setting{protocol: protocol})
			s.traffic()
			all := s.end()
			if found := s.secretsIn(all.bytes); len(found) > 0 {
				t.Errorf("the Collector got %q", found)
			}
			if found := s.secretsIn(s.gateway.output(t)); len(found) > 0 {
				t.Errorf("the log has %q", found)
			}
			if bytes.Contains(all.bytes, []byte(argument)) {
				t.Error("the Collector got the argument of a tool")
			}
		})
	}
}

// The control of the test above: what is asked for is found, where it was looked for.
func TestArgumentsReachACollectorOnlyWhenCaptured(t *testing.T) {
	s := newStage(t, setting{protocol: "grpc", more: "  capture_arguments: true"})
	s.traffic()
	all := s.end()
	if got := attr(all.of(t, server, "wrong").Attributes, "gen_ai.tool.call.arguments"); !strings.Contains(got, argument) {
		t.Errorf("the arguments on the span are %q", got)
	}
	if found := s.secretsIn(all.bytes); len(found) > 0 {
		t.Errorf("the Collector got %q", found)
	}
}

func TestASecretWouldBeFound(t *testing.T) {
	s := &stage{key: "signet_key", upstream: &upstream{came: []arrival{{authorization: "AWS4-HMAC-SHA256 Signature=0badf00d"}}}}
	for _, secret := range []string{s.key, keyID, secretKey, sessionToken, "0badf00d"} {
		if found := s.secretsIn([]byte(`{"a":"` + secret + `"}`)); len(found) != 1 || found[0] != secret {
			t.Errorf("of %s is found %q", secret, found)
		}
	}
}

// secretsIn is which of the secrets of a stage are in a text, the signatures of its requests included.
func (s *stage) secretsIn(text []byte) []string {
	secrets := []string{s.key, keyID, secretKey, sessionToken}
	s.upstream.mu.Lock()
	for _, a := range s.upstream.came {
		if _, signature, ok := strings.Cut(a.authorization, "Signature="); ok {
			secrets = append(secrets, signature)
		}
	}
	s.upstream.mu.Unlock()
	var found []string
	for _, secret := range secrets {
		if bytes.Contains(text, []byte(secret)) {
			found = append(found, secret)
		}
	}
	return found
}
