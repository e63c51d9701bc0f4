// Package sigv4 signs requests as they leave.
//
// It signs a shadow of the request that holds only what AWS must see unchanged: method, URL, host,
// content-type and x-amz-*. What a hop between may rewrite (accept, user-agent, traceparent, ...) is not
// signed, so a hop cannot break the signature.
package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// A Scope is what a signature is valid for: the service's signing name and the region.
type Scope struct {
	// Service and Region are as AWS spells them: "bedrock-agentcore", "us-west-2".
	Service, Region string

	// Unsigned leaves the body out of the signature: what VPC Lattice demands, and few others allow.
	Unsigned bool
}

// unsigned stands for a body's hash in a signature that leaves it out.
const unsigned = "UNSIGNED-PAYLOAD"

// Hash is what a signature for the scope holds of a body: its hex SHA-256, or that it is left out.
func (s Scope) Hash(body []byte) string {
	if s.Unsigned {
		return unsigned
	}
	return hash(body)
}

// declares reports whether the service wants to be told in a header what the signature holds of the body.
func (s Scope) declares() bool {
	return s.Unsigned || s.Service == "vpc-lattice-svcs" || s.Service == "aoss" || s.Service == "es"
}

// hash is the hex SHA-256 of a body, as a signature holds it.
func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Sign signs r, whose body has the given hash for the scope, and sets its Authorization, X-Amz-Date and, for
// temporary credentials, X-Amz-Security-Token headers, and X-Amz-Content-Sha256 where the service wants it.
// Nothing else of r changes; what it had under the first three names is gone. by must have signed with no other credentials than creds: it caches keys by their id alone.
func Sign(ctx context.Context, r *http.Request, bodyHash string, by v4.HTTPSigner, creds aws.Credentials, scope Scope, at time.Time) error {
	if scope.declares() {
		r.Header["X-Amz-Content-Sha256"] = []string{bodyHash}
	}
	url := *r.URL // signing sorts and rewrites the query
	shadow := &http.Request{Method: r.Method, URL: &url, Host: r.Host, Header: make(http.Header, 6)}
	for name, values := range r.Header {
		if signed(name) {
			// Copied, since the signer writes into the slices it finds.
			shadow.Header[name] = append([]string(nil), values...)
		}
	}
	if err := by.SignHTTP(ctx, creds, shadow, bodyHash, scope.Service, scope.Region, at); err != nil {
		return fmt.Errorf("sigv4: %w", err)
	}
	for _, name := range [...]string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if value := shadow.Header.Get(name); value != "" {
			r.Header[name] = []string{value}
		} else {
			delete(r.Header, name)
		}
	}
	return nil
}

// signed reports whether a header of the request is part of the signature.
func signed(name string) bool {
	switch name {
	case "Content-Type":
		return true
	case "X-Amz-Date", "X-Amz-Security-Token":
		return false // the signer's own
	}
	return strings.HasPrefix(name, "X-Amz-")
}
