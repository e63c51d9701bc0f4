package gateway

import (
	"net/http"
	"testing"
	"time"
)

func TestARefusalIsReadInEveryShapeServicesGiveIt(t *testing.T) {
	for name, test := range map[string]struct {
		header, body string
		kind         string
		stale, wrong bool
	}{
		"header":           {"ExpiredTokenException:http://x/", `{"message":"m"}`, "ExpiredTokenException", true, false},
		"__type":           {"", `{"__type":"com.amazonaws#UnrecognizedClientException","message":"m"}`, "UnrecognizedClientException", true, false},
		"code":             {"", `{"code":"InvalidSignatureException","message":"m"}`, "InvalidSignatureException", false, true},
		"XML":              {"", `<ErrorResponse><Error><Code>ExpiredToken</Code><Message>m</Message></Error></ErrorResponse>`, "ExpiredToken", true, false},
		"by words alone":   {"", `{"message":"The security token included in the request is expired"}`, "", true, false},
		"API Gateway":      {"AccessDeniedException", `{"message":"The security token included in the request is invalid."}`, "AccessDeniedException", true, false},
		"denied":           {"AccessDeniedException", `{"message":"User: x is not authorized"}`, "AccessDeniedException", false, false},
		"skewed":           {"", `{"message":"Signature expired: 20260101T000000Z is now earlier than x"}`, "", false, true},
		"not yet":          {"", `{"message":"Signature not yet current: x"}`, "", false, true},
		"HTML":             {"", `<html><body>no</body></html>`, "", false, false},
		"nothing":          {"", ``, "", false, false},
		"a name with junk": {"Bad\x01Name\n", ``, "BadName", false, false},
	} {
		response := &http.Response{Header: http.Header{}}
		if test.header != "" {
			response.Header.Set("X-Amzn-Errortype", test.header)
		}
		got := readNo(response, []byte(test.body))
		if got.kind != test.kind || got.stale() != test.stale || got.mismatch() != test.wrong {
			t.Errorf("%s: %+v, stale %v, mismatch %v", name, got, got.stale(), got.mismatch())
		}
	}
}

func TestARefusalNamesWhoMayNotDoWhat(t *testing.T) {
	for message, want := range map[string][2]string{
		"User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: bedrock-agentcore:InvokeGateway on resource: x": {
			"arn:aws:sts::1:assumed-role/r/s", "bedrock-agentcore:InvokeGateway"},
		"You may not.":        {"this identity", "do this"},
		"User: a\x1b[31mb is": {"a[31mb", "do this"},
	} {
		if who, action := (no{message: message}).denied(); who != want[0] || action != want[1] {
			t.Errorf("%q: %s, %s; want %v", message, who, action, want)
		}
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"2": 2 * time.Second, "3600": time.Hour, "7200": time.Hour, "99999999999": time.Hour, "0": 0, "-5": 0, "": 0, "soon": 0,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0, time.Now().Add(48 * time.Hour).UTC().Format(http.TimeFormat): time.Hour,
	} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
	if got := retryAfter(time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)); got < 80*time.Second || got > 90*time.Second {
		t.Errorf("a date in 90 s is %s", got)
	}
}
