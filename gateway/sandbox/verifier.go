package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
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
	raw             bool          // dot segments and double slashes of a path stay, as in S3
}

// verify is the set that a request was signed with, or why the request is refused.
func (v *verifier) verify(r *request) (issued, *refusal) {
	auth, no := parseAuthorization(r)
	if no != nil {
		return issued{}, no
	}
	for _, check := range []func(*request, authorization) *refusal{v.timely, v.scoped, v.covers} {
		if no := check(r, auth); no != nil {
			return issued{}, no
		}
	}
	set, no := v.set(r, auth)
	if no != nil {
		return issued{}, no
	}
	if no := v.signature(r, auth, set); no != nil {
		return issued{}, no
	}
	if v.identity != "" && set.Identity != v.identity {
		no := refuse(403, "AccessDeniedException", "User: %s is not authorized to perform: %s:InvokeMcp on resource: arn:aws:%s:%s:%s:mcp",
			set.arn, v.service, v.service, v.region, v.sandbox.Identity(v.identity).Account)
		no.other = true
		return issued{}, no
	}
	return set, nil
}

// timely checks when the request was signed.
func (v *verifier) timely(r *request, a authorization) *refusal {
	date := r.get("X-Amz-Date")
	at, err := time.Parse(stamp, date)
	now := v.sandbox.now().Add(v.offset).UTC()
	switch {
	case err != nil:
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	case !strings.HasPrefix(date, a.date+"T"):
		return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%.8s', from '%s'.", a.date, date, date)
	case at.Add(tolerance).Before(now.Truncate(time.Second)):
		return invalid("Signature expired: %s is now earlier than %s (%s - 5 min.)", date, now.Add(-tolerance).Format(stamp), now.Format(stamp))
	case at.Add(-tolerance).After(now):
		return invalid("Signature not yet current: %s is still later than %s (%s + 5 min.)", date, now.Add(tolerance).Format(stamp), now.Format(stamp))
	}
	return nil
}

// scoped checks what the request was signed for.
func (v *verifier) scoped(_ *request, a authorization) *refusal {
	switch {
	case a.service != v.service:
		return invalid("Credential should be scoped to correct service: '%s'.", v.service)
	case v.region != "" && a.region != v.region:
		return invalid("Credential should be scoped to a valid region, not '%s'.", a.region)
	}
	return nil
}

// covers checks which headers are signed.
func (v *verifier) covers(r *request, a authorization) *refusal {
	if !slices.Contains(a.signed, "host") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if !slices.IsSorted(a.signed) {
		return incomplete("'SignedHeaders' must be sorted.")
	}
	for _, f := range r.fields {
		name := strings.ToLower(f.name)
		// A token may be added after signing: "post-sts-header-after" of AWS's own test suite.
		if name != "x-amz-security-token" && strings.HasPrefix(name, "x-amz-") && !slices.Contains(a.signed, name) {
			return invalid("There were headers present in the request which were not signed: %s", name)
		}
	}
	for _, name := range a.signed {
		if len(r.all(name)) == 0 {
			return invalid("Signed header %s is missing.", name)
		}
	}
	return nil
}

// set is the set of credentials that a request claims to be signed with.
func (v *verifier) set(r *request, a authorization) (issued, *refusal) {
	unknown := refuse(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
	set, ok := v.sandbox.key(a.keyID)
	token := strings.Join(r.all("X-Amz-Security-Token"), ",")
	switch {
	case !ok, set.revoked:
		return issued{}, unknown
	case token != set.SessionToken:
		unknown.mixed = v.sandbox.knowsToken(token)
		return issued{}, unknown
	case !set.until.IsZero() && !v.sandbox.now().Before(set.until):
		return issued{}, refuse(403, "ExpiredTokenException", "The security token included in the request is expired")
	}
	return set, nil
}

// signature checks that the set's secret signed the request, and nobody another one.
func (v *verifier) signature(r *request, a authorization, set issued) *refusal {
	hash, no := v.payload(r)
	if no != nil {
		return no
	}
	toSign := stringToSign(r.get("X-Amz-Date"), a, v.canonical(r, a.signed, hash))
	made := func(secret string) bool { return hmac.Equal([]byte(sign(secret, a, toSign)), []byte(a.signature)) }
	if made(set.SecretAccessKey) {
		return nil
	}
	no = invalid("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	no.mixed = v.sandbox.anySecret(made)
	return no
}

// payload is the hash of the body as the signature has it.
func (v *verifier) payload(r *request) (string, *refusal) {
	sum := sha256.Sum256(r.body)
	hash := hex.EncodeToString(sum[:])
	claimed := r.all("X-Amz-Content-Sha256")
	switch {
	case len(claimed) == 0, len(claimed) == 1 && claimed[0] == hash:
		return hash, nil
	case len(claimed) == 1 && claimed[0] == "UNSIGNED-PAYLOAD" && v.unsigned:
		return claimed[0], nil
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
	return strings.Join([]string{algorithm, date, a.scope(), hex.EncodeToString(sum[:])}, "\n")
}
