package clients

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// everySDK starts every client in every era it has, but those whose names begin so.
func everySDK(t *testing.T, but ...string) map[string]client {
	t.Helper()
	tools := os.Getenv("SIGNET_CLIENTS")
	if tools == "" {
		t.Fatal("SIGNET_CLIENTS names no directory with clients: run this by bash .ci/clients/run")
	}
	node, one, two := filepath.Join(tools, "node", "driver.mjs"), filepath.Join(tools, "py1", "bin", "python"), filepath.Join(tools, "py2", "bin", "python")
	python := filepath.Join("python", "driver.py")
	sdks := map[string]client{"go 1.8 legacy": newGoClient("2025-11-25"), "go 1.8 modern": newGoClient("")}
	started := map[string][]string{
		"ts 1.32 legacy": {"node", node, "v1", "legacy"},
		"ts 2.4 legacy":  {"node", node, "v2", "legacy"},
		"ts 2.4 modern":  {"node", node, "v2", "auto"},
		"py 1.29 legacy": {one, python, "v1", "legacy"},
		"py 2.0 legacy":  {two, python, "v2", "legacy"},
		"py 2.0 modern":  {two, python, "v2", "auto"},
	}
	for name, command := range started {
		if slices.ContainsFunc(but, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		sdks[name] = drive(t, strings.ReplaceAll(name, " ", "-"), command[0], command[1:]...)
	}
	return sdks
}

// names are the clients in the order of a report.
func names[T any](of map[string]T) []string {
	var all []string
	for name := range of {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// forEach does something for all clients at once.
func forEach(sdks map[string]client, do func(name string, of client)) {
	var all sync.WaitGroup
	for name, of := range sdks {
		all.Go(func() { do(name, of) })
	}
	all.Wait()
}

// eventually waits for what has to come.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if is() {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatalf("it never came to pass that %s", what)
}

// report prints what everybody saw, a class a line, and fails for what is wrong.
func report(t *testing.T, rows []row, results map[string]map[string]cell) {
	t.Helper()
	var table strings.Builder
	var latest time.Duration
	for _, r := range rows {
		line := r.name
		for _, name := range names(results) {
			c := results[name][r.name]
			word := "ok"
			if r.door {
				word = c.atTheDoor()
			}
			if wrong := c.judge(); len(wrong) > 0 {
				word = "WRONG"
				t.Errorf("%s, %s: %s", r.name, name, strings.Join(wrong, "; "))
			}
			line += "\t" + word
			latest = max(latest, c.late)
		}
		table.WriteString(line + "\n")
	}
	t.Logf("class\t%s\n%s%d cells; the latest error showed %s after it was due",
		strings.Join(names(results), "\t"), table.String(), len(rows)*len(results), latest.Round(time.Millisecond))
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// selfSigned is a certificate that nobody vouches for.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
