package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"

	// tolerance is how far a signature's time may be off.
	tolerance = 5 * time.Minute
)

// A verifier checks signatures of one service in one region, from the bytes on the wire.
type verifier struct {
	sandbox         *Sandbox
	service, region string        // region "": any
	identity        string        // who may call; "": anyone AWS knows
	offset          time.Duration // the server's clock is that much ahead
	unsigned        bool          // UNSIGNED-PAYLOAD is allowed
	normalise       bool          // dot segments and double slashes are resolved before
}

// A refusal is AWS saying no.
type refusal struct {
	status        int
	kind, message string
	other, mixed  bool // for the ledger
}

func refuse(status int, kind, format string, a ...any) *refusal {
	return &refusal{status: status, kind: kind, message: fmt.Sprintf(format, a...)}
}

// An authorization is the Authorization header, taken apart.
type authorization struct {
	keyID, date, region, service string
	signed                       []string
	signature                    string
}

// verify is whose request it is, or why it is refused.
func (v *verifier) verify(r *request) (Credentials, *refusal) {
	auth, no := parseAuthorization(r)
	if no != nil {
		return Credentials{}, no
	}
	if no := v.form(r, auth); no != nil {
		return Credentials{}, no
	}
	set, no := v.set(r, auth)
	if no != nil {
		return Credentials{}, no
	}
	hash, no := v.payload(r)
	if no != nil {
		return Credentials{}, no
	}
	toSign := stringToSign(r.get("X-Amz-Date"), auth, v.canonical(r, auth.signed, hash))
	if !hmac.Equal([]byte(sign(set.SecretAccessKey, auth, toSign)), []byte(auth.signature)) {
		return Credentials{}, refuse(403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if v.identity != "" && set.Identity != v.identity {
		id := v.sandbox.Identity(set.Identity)
		no := refuse(403, "AccessDeniedException", "User: %s is not authorized to perform: %s:InvokeMcp on resource: arn:aws:%s:%s:%s:mcp",
			id.ARN(), v.service, v.service, v.region, id.Account)
		no.other = true
		return Credentials{}, no
	}
	return set.Credentials, nil
}

func parseAuthorization(r *request) (authorization, *refusal) {
	var a authorization
	values := r.all("Authorization")
	if len(values) == 0 {
		return a, refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(values[0], algorithm+" ")
	if !ok || len(values) > 1 {
		return a, refuse(403, "IncompleteSignatureException", "Unsupported AWS 'algorithm' or more than one Authorization header.")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(parts) != 3 || len(scope) != 5 || parts["SignedHeaders"] == "" || parts["Signature"] == "" {
		return a, refuse(403, "IncompleteSignatureException", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders'.")
	}
	if scope[4] != "aws4_request" {
		return a, refuse(403, "InvalidSignatureException", "Credential should be scoped with a valid terminator: 'aws4_request', not '%s'.", scope[4])
	}
	a.keyID, a.date, a.region, a.service = scope[0], scope[1], scope[2], scope[3]
	a.signed, a.signature = strings.Split(parts["SignedHeaders"], ";"), parts["Signature"]
	return a, nil
}

// form checks scope, time and which headers are signed.
func (v *verifier) form(r *request, a authorization) *refusal {
	date := r.get("X-Amz-Date")
	at, err := time.Parse(stamp, date)
	switch now := v.sandbox.now().Add(v.offset); {
	case err != nil:
		return refuse(403, "IncompleteSignatureException", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	case !strings.HasPrefix(date, a.date+"T"):
		return refuse(403, "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%.8s', from '%s'.", a.date, date, date)
	case at.Add(tolerance).Before(now.Truncate(time.Second)):
		return refuse(403, "InvalidSignatureException", "Signature expired: %s is now earlier than %s (%s - 5 min.)", date, now.Add(-tolerance).UTC().Format(stamp), now.UTC().Format(stamp))
	case at.Add(-tolerance).After(now):
		return refuse(403, "InvalidSignatureException", "Signature not yet current: %s is still later than %s (%s + 5 min.)", date, now.Add(tolerance).UTC().Format(stamp), now.UTC().Format(stamp))
	case a.service != v.service:
		return refuse(403, "InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", v.service)
	case v.region != "" && a.region != v.region:
		return refuse(403, "InvalidSignatureException", "Credential should be scoped to a valid region, not '%s'.", a.region)
	case !slices.Contains(a.signed, "host"):
		return refuse(403, "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	case !slices.IsSorted(a.signed):
		return refuse(403, "IncompleteSignatureException", "'SignedHeaders' must be sorted.")
	}
	for _, f := range r.fields {
		name := strings.ToLower(f.name)
		// A token may be added after signing: "post-sts-header-after" of AWS's own test suite.
		if name != "x-amz-security-token" && strings.HasPrefix(name, "x-amz-") && !slices.Contains(a.signed, name) {
			return refuse(403, "InvalidSignatureException", "There were headers present in the request which were not signed: %s", name)
		}
	}
	for _, name := range a.signed {
		if len(r.all(name)) == 0 {
			return refuse(403, "InvalidSignatureException", "Signed header %s is missing.", name)
		}
	}
	return nil
}

// set is the set of credentials that a request claims to be signed with.
func (v *verifier) set(r *request, a authorization) (issued, *refusal) {
	unknown := refuse(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
	set, ok := v.sandbox.key(a.keyID)
	token := r.get("X-Amz-Security-Token")
	switch {
	case !ok, set.revoked:
		return issued{}, unknown
	case token != set.SessionToken:
		unknown.mixed = v.sandbox.ownerOf(token) != ""
		return issued{}, unknown
	case !set.until.IsZero() && !v.sandbox.now().Before(set.until):
		return issued{}, refuse(403, "ExpiredTokenException", "The security token included in the request is expired")
	}
	return set, nil
}

// payload is the hash of the body as the signature has it.
func (v *verifier) payload(r *request) (string, *refusal) {
	sum := sha256.Sum256(r.body)
	hash := hex.EncodeToString(sum[:])
	switch claimed := r.get("X-Amz-Content-Sha256"); {
	case claimed == "" || claimed == hash:
		return hash, nil
	case claimed == "UNSIGNED-PAYLOAD" && v.unsigned:
		return claimed, nil
	}
	return "", refuse(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
}

// sign is the signature of a string, in hex.
func sign(secret string, a authorization, toSign string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, toSign))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func stringToSign(date string, a authorization, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{
		algorithm, date, strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/"), hex.EncodeToString(sum[:]),
	}, "\n")
}
