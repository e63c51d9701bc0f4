package credentials

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestCredentialsAreNotShownHoweverTheyArePrinted(t *testing.T) {
	const secret = "CaNaRy7f3a"
	fetched := Fetched{Credentials: aws.Credentials{AccessKeyID: "AKIAEXAMPLE000000012", SecretAccessKey: secret, SessionToken: secret}}
	generation := newGeneration(fetched, 7, time.Now(), 0)
	var nobody *Generation
	for _, value := range []any{fetched, &fetched, generation, nobody, map[string]any{"k": generation}, []Fetched{fetched}} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "k", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "k", value)
		text, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		var all strings.Builder
		all.WriteString(log.String() + string(text))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			all.WriteString(fmt.Sprintf(verb, value))
		}
		if strings.Contains(all.String(), secret) || strings.Contains(all.String(), fmt.Sprintf("%x", secret)) || strings.Contains(all.String(), "AKIAEXAMPLE000000012") {
			t.Errorf("%T is shown: %s", value, all.String())
		}
	}
	// The control: what the SDK's own type shows.
	if !strings.Contains(fmt.Sprintf("%+v", fetched.Credentials), secret) {
		t.Error("nothing is shown at all: this proves nothing")
	}
	if got := generation.String(); got != "generation 7 (AKIA…0012)" {
		t.Error(got)
	}
}
