package envelope

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestErrorEchoesTheIDByteForByte(t *testing.T) {
	e := &Error{Code: CodeTimeout, Message: `it said "no"` + "\n\xff", Reason: "idle", Outcome: "unknown"}
	for _, id := range []string{`9007199254740993`, `"a\u00e9\/"`, `1.0`, `null`, `-0`} {
		want := `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":-31002,"message":"signet: it said \"no\"\n\ufffd","data":{"reason":"idle","retryable":false,"outcome":"unknown"}}}`
		if got := string(e.Append(nil, []byte(id))); got != want || !json.Valid([]byte(got)) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestErrorWithoutAnIDHasNone(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal((&Error{Code: CodeParse, Message: "m"}).Append(nil, nil), &got); err != nil {
		t.Fatal(err)
	}
	if _, has := got["id"]; has {
		t.Errorf("%v", got)
	}
}

func TestErrorCarriesWhatAnAgentCanActOn(t *testing.T) {
	e := &Error{
		Code: CodeThrottled, Message: "signet: m", Source: "gateway", Reason: "upstream_throttled", Route: "aws", Retryable: true,
		RetryAfter: 1499*time.Millisecond + 1, UpstreamStatus: 429, AWSErrorType: "T", AWSRequestID: "r", TraceID: "t", Outcome: "rejected",
	}
	var got struct {
		Error struct {
			Message string
			Data    map[string]any
		}
	}
	if err := json.Unmarshal(e.Append(nil, []byte("1")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"source": "gateway", "reason": "upstream_throttled", "route": "aws", "retryable": true, "retry_after_ms": 1500.0,
		"upstream_status": 429.0, "aws_error_type": "T", "aws_request_id": "r", "trace_id": "t", "outcome": "rejected",
	}
	if !reflect.DeepEqual(got.Error.Data, want) || got.Error.Message != "signet: m" {
		t.Errorf("%+v", got)
	}
}

func TestErrorsOfABatchAreABatch(t *testing.T) {
	got := string((&Error{Code: -1, Message: "m"}).AppendBatch(nil, [][]byte{[]byte("1"), []byte(`"b"`)}))
	m, err := Read([]byte(got))
	if err != nil || len(m.Batch) != 2 || string(m.Batch[1].ID) != `"b"` || !m.Batch[0].IsError {
		t.Errorf("%s: %+v, %v", got, m, err)
	}
}

func TestErrorOfABatchWithoutRequestsIsOneError(t *testing.T) {
	e := &Error{Code: CodeInvalid, Message: "m"}
	if got := string(e.AppendBatch([]byte("x"), nil)); got != string(e.Append([]byte("x"), nil)) {
		t.Error(got)
	}
}

func TestStatusTellsTheTruth(t *testing.T) {
	for want, errors := range map[int][]Error{
		400: {{Code: CodeParse}, {Code: CodeInvalid}, {Code: CodeHeader}},
		403: {{Code: CodeDenied}, {Code: CodeToolChanged}},
		404: {{Code: CodeNoRoute}},
		413: {{Code: CodeTooLarge}},
		429: {{Code: CodeThrottled, UpstreamStatus: 429}, {Code: CodeOverloaded, Reason: "rate"}},
		502: {{Code: CodeUnreachable}, {Code: CodeBadResponse}, {Code: CodeRejected}, {Code: CodeStreamBroken}},
		503: {{Code: CodeUnreachable, Reason: "circuit_open"}, {Code: CodeThrottled}, {Code: CodeOverloaded}, {Code: CodeCredentials}, {Code: CodeDraining}},
		504: {{Code: CodeTimeout}},
	} {
		for _, e := range errors {
			if got := e.Status(); got != want {
				t.Errorf("%d %s: %d, want %d", e.Code, e.Reason, got, want)
			}
		}
	}
}

func TestAppendEventIsOneEvent(t *testing.T) {
	if got := string(AppendEvent([]byte("x"), []byte(`{"a":1}`))); got != "xevent: message\ndata: {\"a\":1}\n\n" {
		t.Errorf("%q", got)
	}
}
