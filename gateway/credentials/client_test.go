package credentials

import (
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// secureSTS is an STS behind a certificate that only a CA bundle of our own knows, and that bundle.
func secureSTS(t *testing.T) (bundle string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, granted)
	}))
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", server.URL)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func TestPitfall43_TheCABundleIsTrustedAndReadOnceForEachChange(t *testing.T) {
	roleOf(t, "region = eu-west-1\n")
	trusted := secureSTS(t)
	path := filepath.Join(t.TempDir(), "bundle.pem")
	t.Setenv("AWS_CA_BUNDLE", path)
	h := NewHome()
	p := NewProfile(ProfileOptions{Profile: "r", Home: h})
	fetchOnce := func() error {
		_, err := p.Fetch(t.Context())
		return err
	}
	if err := fetchOnce(); err == nil || !strings.Contains(err.Error(), "the CA bundle (AWS_CA_BUNDLE or ca_bundle) cannot be read") {
		t.Errorf("no file: %v", err)
	}
	save(t, path, "no certificate")
	if err := fetchOnce(); err == nil || !strings.Contains(err.Error(), "there is no certificate in the CA bundle") {
		t.Errorf("no certificate: %v", err)
	}
	save(t, path, trusted)
	if !p.Changed(true) {
		t.Error("the new bundle is no change")
	}
	if err := fetchOnce(); err != nil {
		t.Errorf("the right one: %v", err)
	}
	client := h.client.client
	if err := fetchOnce(); err != nil || h.client.client != client {
		t.Errorf("the bundle was taken apart again: %v", err)
	}
	save(t, path, trusted+trusted)
	if err := fetchOnce(); err != nil || h.client.client == client {
		t.Errorf("after a change: %v", err)
	}
}

// The control: without the bundle the certificate is nobody's.
func TestPitfall43_ControlWithoutTheBundle(t *testing.T) {
	roleOf(t, "region = eu-west-1\n")
	secureSTS(t)
	_, err := NewProfile(ProfileOptions{Profile: "r"}).Fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), "STS could not be reached") {
		t.Errorf("%v", err)
	}
}
