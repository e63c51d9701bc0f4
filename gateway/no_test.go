package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// saysNo is a response with a status and, unless it is empty, an X-Amzn-Errortype.
func saysNo(status int, kind string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}}
	if kind != "" {
		r.Header.Set("X-Amzn-Errortype", kind)
	}
	return r
}

// A said is what an upstream says, and what of it is AWS's.
type said struct {
	status       int
	header, body string
	kind, reason string // reason "": nothing of AWS's
	class        class
}

// noes are AWS's in all shapes, and others'.
func noes() []said {
	const (
		invalid  = `{"message":"The security token included in the request is invalid."}`
		expired  = `{"message":"The security token included in the request is expired"}`
		early    = `{"message":"Signature expired: 20260101T000000Z is now earlier than 20260101T000100Z (20260101T000600Z - 5 min.)"}`
		late     = `{"message":"Signature not yet current: 20260101T001000Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)"}`
		mismatch = `{"message":"The request signature we calculated does not match the signature you provided."}`
		denied   = `{"Message":"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: x:Y on resource: z"}`
		session  = `{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":-32001,"message":"Your AWS session token has expired. Please refresh your credentials and try again."}}`
	)
	return []said{
		// credentials
		{403, "ExpiredTokenException:http://x/", expired, "ExpiredTokenException", "expired", staleNo},
		{400, "ExpiredToken", `{}`, "ExpiredToken", "expired", staleNo},
		{400, "", `{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"m"}`, "ExpiredTokenException", "expired", staleNo},
		{403, "TokenRefreshRequired", ``, "TokenRefreshRequired", "invalid_token", staleNo},
		{403, "", `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>m</Message></Error></ErrorResponse>`, "InvalidClientTokenId", "invalid_token", staleNo},
		{403, "", `{"__type":"UnrecognizedClientException","message":"m"}`, "UnrecognizedClientException", "invalid_token", staleNo},
		{403, "", `<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidAccessKeyId</Code><Message>m</Message></Error>`, "InvalidAccessKeyId", "invalid_token", staleNo},
		{400, "", `<Error><Code>InvalidToken</Code></Error>`, "InvalidToken", "invalid_token", staleNo},
		{403, "AccessDeniedException", invalid, "AccessDeniedException", "invalid_token", staleNo},
		{403, "", expired, "", "expired", staleNo},
		{403, "", strings.ToUpper(expired), "", "expired", staleNo},
		{401, "", session, "", "expired", staleNo},
		{403, "", session, "", "expired", staleNo},
		// the clock
		{403, "InvalidSignatureException", early, "InvalidSignatureException", "clock_skew", clockNo},
		{403, "InvalidSignatureException", late, "InvalidSignatureException", "clock_skew", clockNo},
		{403, "", early, "", "clock_skew", clockNo},
		{403, "", `<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>`, "RequestTimeTooSkewed", "clock_skew", clockNo},
		{400, "", `<Response><Errors><Error><Code>RequestExpired</Code><Message>m</Message></Error></Errors></Response>`, "RequestExpired", "clock_skew", clockNo},
		// the signature
		{401, "", `{"code":"InvalidSignatureException","message":"m"}`, "InvalidSignatureException", "signature", signatureNo},
		{401, "InvalidSignatureException", mismatch, "InvalidSignatureException", "signature", signatureNo},
		{403, "", `{"Error":{"Code":"SignatureDoesNotMatch","Message":"m"}}`, "SignatureDoesNotMatch", "signature", signatureNo},
		{403, "", mismatch, "", "signature", signatureNo},
		{403, "", `{"code":403,"message":"The request signature we calculated does not match the signature you provided."}`, "", "signature", signatureNo},
		{401, "", `<Response><Errors><Error><Code>AuthFailure</Code><Message>m</Message></Error></Errors></Response>`, "AuthFailure", "signature", signatureNo},
		{400, "IncompleteSignatureException", ``, "IncompleteSignatureException", "signature", signatureNo},
		// the identity
		{403, "AccessDeniedException", denied, "AccessDeniedException", "access_denied", deniedNo},
		{400, "", `{"__type":"AccessDeniedException","Message":"m"}`, "AccessDeniedException", "access_denied", deniedNo},
		{403, "", `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`, "AccessDenied", "access_denied", deniedNo},
		{403, "ForbiddenException", `{"message":"Forbidden"}`, "ForbiddenException", "access_denied", deniedNo},
		{403, "ForbiddenException", `<html><body>no</body></html>`, "ForbiddenException", "access_denied", deniedNo},
		{401, "", ``, "", "access_denied", deniedNo},
		{403, "Bad\x01Name\n", ``, "BadName", "access_denied", deniedNo},
		// too much
		{400, "ThrottlingException", `{"message":"Rate exceeded"}`, "ThrottlingException", "", throttledNo},
		{400, "", `{"__type":"TooManyRequestsException"}`, "TooManyRequestsException", "", throttledNo},
		// none of these
		{400, "ValidationException", `{"message":"m"}`, "ValidationException", "", otherNo},
		{400, "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"The security token included in the request is expired"}}`, "", "", otherNo},
		{400, "", `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"Your AWS session token has expired."}}`, "", "", otherNo},
		{403, "", `<html><body>Blocked by the proxy of ACME</body></html>`, "", "", otherNo},
		{401, "", `Blocked by the proxy of ACME`, "", "", otherNo},
		{404, "", session, "", "", otherNo},
		{500, "ExpiredTokenException", expired, "ExpiredTokenException", "", otherNo},
		{503, "", early, "", "", otherNo},
	}
}

func TestANoIsSortedByTypeAndWords(t *testing.T) {
	for _, test := range noes() {
		got := readNo(saysNo(test.status, test.header), []byte(test.body))
		if got.class != test.class || got.kind != test.kind || test.reason != "" && got.reason() != test.reason {
			t.Errorf("%d %q %s: class %d, kind %q, reason %s; want class %d, kind %q, reason %s",
				test.status, test.header, test.body, got.class, got.kind, got.reason(), test.class, test.kind, test.reason)
		}
	}
}

func TestANoThatIsTooLongIsSortedByStatusAndHeader(t *testing.T) {
	long := `{"message":"The security token included in the request is expired` + strings.Repeat(" ", maxNo) + `"}`
	if got := readNo(saysNo(403, ""), []byte(long)); got.class != deniedNo || got.message != "" {
		t.Errorf("by status: class %d", got.class)
	}
	if got := readNo(saysNo(403, "ExpiredTokenException"), []byte(long)); got.class != staleNo || got.message != "" {
		t.Errorf("by header: class %d", got.class)
	}
	if got := readNo(saysNo(403, ""), []byte(long[:65]+`"}`)); got.class != staleNo {
		t.Errorf("the same, not too long: class %d", got.class)
	}
}

func TestANoNamesWhoMayNotDoWhat(t *testing.T) {
	for message, want := range map[string][2]string{
		"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: bedrock-agentcore:InvokeGateway on resource: x": {
			"arn:aws:sts::1:assumed-role/r/s", "bedrock-agentcore:InvokeGateway"},
		"You may not.":        {"", ""},
		"User: a\x1b[31mb is": {"a[31mb", ""},
	} {
		if who, action := (no{message: message}).denied(); who != want[0] || action != want[1] {
			t.Errorf("%q: %q, %q; want %v", message, who, action, want)
		}
	}
}

func FuzzReadNo(f *testing.F) {
	for _, body := range []string{`{"message":"m"}`, `<Error><Code>X</Code></Error>`, `{"error":{"code":-32001}}`, "\xff", `[`, `<a`} {
		f.Add(403, "X:y", []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, header string, body []byte) {
		n := readNo(saysNo(status, header), body)
		if len(n.kind) > 64 || strings.ContainsFunc(n.kind, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("kind %q", n.kind)
		}
		if who, action := n.denied(); len(who) > 256 || len(action) > 128 {
			t.Errorf("%d letters of who, %d of what", len(who), len(action))
		}
	})
}
