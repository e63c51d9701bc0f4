package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestSTSFailsAsItIsTold(t *testing.T) {
	codes := map[int]struct {
		code   string
		status int
		fault  string
	}{
		1: {"AccessDenied", 403, "Sender"},
		2: {"Throttling", 400, "Sender"},
		3: {"ServiceUnavailable", 503, "Receiver"},
		4: {"InternalFailure", 500, "Receiver"},
		5: {"ExpiredToken", 403, "Sender"},
		6: {"InvalidClientTokenId", 403, "Sender"},
		7: {"IDPCommunicationError", 400, "Sender"},
		8: {"ExpiredTokenException", 400, "Sender"},
		9: {"SomethingNew", 400, "Sender"},
	}
	s, service, base := newSTS(t, STSOptions{Fail: func(n int) string { return codes[n].code }})
	for n := 1; n <= len(codes); n++ {
		want := codes[n]
		exchange{"POST", "Action=AssumeRole", want.status, fmt.Sprintf("<Type>%s</Type><Code>%s</Code>", want.fault, want.code)}.check(t, service.URL())
	}
	if code, message := assume(t, service, base, sts.AssumeRoleInput{RoleArn: aws.String(s.Identity("agent").RoleARN)}); code != "" {
		t.Errorf("the one that is not told to fail: %s %s", code, message)
	}
	if refused := s.Ledger().Refused(); len(refused) != 0 {
		t.Errorf("failures that nobody's signature is to blame for: %v", refused)
	}
}

func TestSTSLeavesRequestsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		service := s.STS(STSOptions{Hang: func(n int) bool { return n < 3 }})
		service.Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		for n := 1; n <= 3; n++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			r, err := http.NewRequestWithContext(ctx, "POST", "http://h/", strings.NewReader("Action=x"))
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			response, err := client.Do(r)
			if hung := err != nil && time.Since(began) == time.Hour; hung != (n < 3) {
				t.Errorf("request %d after %s: %v", n, time.Since(began), err)
			}
			if err == nil {
				_ = response.Body.Close()
			}
			cancel()
			synctest.Wait() // until the server has seen it
		}
		if service.Asked() != 3 || service.MaxAtOnce() != 1 {
			t.Errorf("asked %d, %d at once", service.Asked(), service.MaxAtOnce())
		}
	})
}

func TestASTSThatHangsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		service := s.STS(STSOptions{Hang: func(int) bool { return true }})
		service.Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		failed := make(chan error)
		for range 3 {
			go func() {
				response, err := client.Post("http://h/", "text/plain", strings.NewReader(""))
				if err == nil {
					_ = response.Body.Close()
				}
				failed <- err
			}()
		}
		synctest.Wait()
		if service.MaxAtOnce() != 3 {
			t.Errorf("%d at once", service.MaxAtOnce())
		}
		s.Close()
		for range 3 {
			if <-failed == nil {
				t.Error("an answer after all")
			}
		}
	})
}

func TestSTSHasAClockOfItsOwn(t *testing.T) {
	for ahead, want := range map[time.Duration]int{
		0: 200, 4 * time.Minute: 200, 6 * time.Minute: 403, -6 * time.Minute: 403,
	} {
		s := New(Options{Now: noon})
		service := s.STS(STSOptions{Clock: ahead})
		form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		wire := signed(t, s.IssueStatic("base"), "POST", "/", "Action=GetCallerIdentity", form, "sts", "eu-west-1")
		status, header, body := exchangeRaw(t, service.URL(), wire)
		s.Close()
		if status != want || status == 403 && !strings.Contains(body, "<Code>SignatureDoesNotMatch</Code><Message>Signature ") {
			t.Errorf("%s ahead: %d %s", ahead, status, body)
		}
		if date := header.Get("Date"); date != noon().Add(ahead).Format(http.TimeFormat) {
			t.Errorf("%s ahead: %s", ahead, date)
		}
	}
}

// A client learns how far its clock is off from Date, and must not learn it from a server that took long.
func TestDateIsWhenTheAnswerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		s.STS(STSOptions{Delay: func(int) time.Duration { return 10 * time.Minute }}).Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		response, err := client.Post("http://h/", "text/plain", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if at := response.Header.Get("Date"); at != time.Now().UTC().Format(http.TimeFormat) {
			t.Errorf("%s at %s", at, time.Now().UTC())
		}
	})
}

func TestARequestDoesNotAgeWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{Now: newNoon()}), newPipe()
		defer s.Close()
		s.STS(STSOptions{Delay: func(int) time.Duration { return time.Hour }}).Serve(p)
		conn := dial(t, p)
		defer func() { _ = conn.Close() }()
		form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		wire := signed(t, s.IssueStatic("base"), "POST", "/", "Action=GetCallerIdentity", form, "sts", "eu-west-1")
		if status, _, body := over(t, conn, wire); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	})
}
