package sandbox

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A loginFile is what "aws login" writes, as the SDK for Go reads it.
type loginFile struct {
	AccessToken struct {
		AccessKeyID     string    `json:"accessKeyId"`
		SecretAccessKey string    `json:"secretAccessKey"`
		SessionToken    string    `json:"sessionToken"`
		AccountID       string    `json:"accountId"`
		ExpiresAt       time.Time `json:"expiresAt"`
	} `json:"accessToken"`
	TokenType     string `json:"tokenType"`
	RefreshToken  string `json:"refreshToken"`
	IdentityToken string `json:"identityToken"`
	ClientID      string `json:"clientId"`
	Key           string `json:"dpopKey"`
}

// A signedIn is Sign-In's answer to CreateOAuth2Token, or its refusal.
type signedIn struct {
	AccessToken struct {
		AccessKeyID     string `json:"accessKeyId"`
		SecretAccessKey string `json:"secretAccessKey"`
		SessionToken    string `json:"sessionToken"`
	} `json:"accessToken"`
	TokenType    string `json:"tokenType"`
	ExpiresIn    int    `json:"expiresIn"`
	RefreshToken string `json:"refreshToken"`
	Error        string `json:"error"`
	Message      string `json:"message"`
}

func login(t *testing.T, file []byte) (in loginFile, private *ecdsa.PrivateKey) {
	t.Helper()
	parse(t, string(file), &in)
	block, rest := pem.Decode([]byte(in.Key))
	if block == nil || block.Type != "EC PRIVATE KEY" || len(rest) > 0 {
		t.Fatalf("no key: %s", in.Key)
	}
	private, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return in, private
}

// renew asks a Sign-In for new credentials as the SDK does, with a proof of that key.
func renew(t *testing.T, url string, in loginFile, private *ecdsa.PrivateKey) (status int, kind string, out signedIn) {
	t.Helper()
	d := newDraft(t, private)
	d.claims["htu"], d.claims["iat"] = url+"/v1/token", time.Now().Unix()
	body := marshal(map[string]string{"clientId": in.ClientID, "grantType": "refresh_token", "refreshToken": in.RefreshToken})
	return send(t, url, body, d.sign(t, private))
}

func send(t *testing.T, url, body, proof string) (status int, kind string, out signedIn) {
	t.Helper()
	status, header, text := ask(t, url+"/v1/token", "POST", body, "Content-Type", "application/json", "DPoP", proof)
	parse(t, text, &out)
	return status, header.Get("x-amzn-errortype"), out
}

func newSignin(t *testing.T, o SigninOptions) (*Sandbox, *Signin) {
	t.Helper()
	s := New(Options{})
	t.Cleanup(s.Close)
	return s, s.Signin(o)
}

func TestASigninRefreshTokenIsGoodOnce(t *testing.T) {
	s, signin := newSignin(t, SigninOptions{Life: time.Minute})
	in, private := login(t, signin.LoginExpired("dev"))
	used := in
	for n := range 3 {
		status, kind, out := renew(t, signin.URL(), in, private)
		if status != 200 || out.TokenType != "aws_sigv4" || out.ExpiresIn != 60 || out.RefreshToken == in.RefreshToken {
			t.Fatalf("%d: %d %s %+v", n, status, kind, out)
		}
		set := registered(t, s, "dev", out.AccessToken.AccessKeyID, out.AccessToken.SecretAccessKey, out.AccessToken.SessionToken)
		if left := time.Until(set.Expires); left > time.Minute || left < 50*time.Second {
			t.Errorf("they expire in %s", left)
		}
		in.RefreshToken = out.RefreshToken
	}
	if status, kind, out := renew(t, signin.URL(), used, private); status != 400 || kind != "AccessDeniedException" || out.Error != "TOKEN_EXPIRED" {
		t.Errorf("a used token: %d %s %+v", status, kind, out)
	}
	if signin.TokenCalls() != 4 || signin.TokenRefusals() != 1 {
		t.Errorf("%d calls, %d refused", signin.TokenCalls(), signin.TokenRefusals())
	}
}

func TestOfManySigninsAtOnceOneIsGranted(t *testing.T) {
	_, signin := newSignin(t, SigninOptions{})
	in, private := login(t, signin.LoginExpired("dev"))
	url := signin.URL()
	var all sync.WaitGroup
	var granted atomic.Int32
	for range 8 {
		all.Go(func() {
			if status, _, _ := renew(t, url, in, private); status == 200 {
				granted.Add(1)
			}
		})
	}
	all.Wait()
	if granted.Load() != 1 || signin.TokenCalls() != 8 || signin.TokenRefusals() != 7 {
		t.Errorf("%d granted; %d calls, %d refused", granted.Load(), signin.TokenCalls(), signin.TokenRefusals())
	}
}

func TestSigninRefusesAsItDoes(t *testing.T) {
	_, signin := newSignin(t, SigninOptions{})
	in, private := login(t, signin.LoginExpired("dev"))
	dead, deadKey := login(t, signin.LoginDead("dev"))
	_, stolen := login(t, signin.LoginExpired("other"))
	body := func(client, grant, token string) string {
		return marshal(map[string]string{"clientId": client, "grantType": grant, "refreshToken": token})
	}
	for name, test := range map[string]struct {
		body   string
		key    *ecdsa.PrivateKey
		kind   string
		reason string
	}{
		"no proof":         {body(in.ClientID, "refresh_token", in.RefreshToken), nil, "ValidationException", "INVALID_REQUEST"},
		"another's key":    {body(in.ClientID, "refresh_token", in.RefreshToken), stolen, "AccessDeniedException", "TOKEN_EXPIRED"},
		"a dead login":     {body(dead.ClientID, "refresh_token", dead.RefreshToken), deadKey, "AccessDeniedException", "TOKEN_EXPIRED"},
		"another client":   {body("me", "refresh_token", in.RefreshToken), private, "ValidationException", "INVALID_REQUEST"},
		"another grant":    {body(in.ClientID, "password", in.RefreshToken), private, "ValidationException", "unsupported_grant_type"},
		"no refresh token": {body(in.ClientID, "refresh_token", ""), private, "ValidationException", "INVALID_REQUEST"},
		"no JSON":          {"grant_type=refresh_token", private, "ValidationException", "INVALID_REQUEST"},
	} {
		proof := "x"
		if test.key != nil {
			d := newDraft(t, test.key)
			d.claims["htu"], d.claims["iat"] = signin.URL()+"/v1/token", time.Now().Unix()
			proof = d.sign(t, test.key)
		}
		status, kind, out := send(t, signin.URL(), test.body, proof)
		if status != 400 || kind != test.kind || out.Error != test.reason || out.Message == "" {
			t.Errorf("%s: %d %s %+v, want %s %s", name, status, kind, out, test.kind, test.reason)
		}
	}
	if signin.TokenCalls() != 7 || signin.TokenRefusals() != 7 {
		t.Errorf("%d calls, %d refused", signin.TokenCalls(), signin.TokenRefusals())
	}
	if status, _, _ := renew(t, signin.URL(), in, private); status != 200 {
		t.Error("the refusals used the refresh token up")
	}
	exchange{"GET", "", 404, "There is no GET"}.check(t, signin.URL()+"/v1/token")
}

func TestSigninFailsAndTakesItsTimeAsItIsTold(t *testing.T) {
	told := []struct {
		fail   string
		status int
		kind   string
		reason string
	}{
		{"USER_CREDENTIALS_CHANGED", 400, "AccessDeniedException", "USER_CREDENTIALS_CHANGED"},
		{"INSUFFICIENT_PERMISSIONS", 400, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS"},
		{"AccessDeniedException", 400, "AccessDeniedException", "TOKEN_EXPIRED"},
		{"InternalServerException", 500, "InternalServerException", "server_error"},
		{"ServiceUnavailableException", 503, "ServiceUnavailableException", "service_unavailable"},
		{"TooManyRequestsError", 429, "TooManyRequestsError", "rate_exceeded"},
		{"", 400, "ValidationException", "INVALID_REQUEST"}, // there is no proof
	}
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		s.Signin(SigninOptions{
			Fail:  func(n int) string { return told[n-1].fail },
			Delay: func(n int) time.Duration { return time.Duration(n) * time.Second },
		}).Serve(p)
		client := p.client()
		defer client.CloseIdleConnections()
		for n, want := range told {
			began := time.Now()
			response, err := client.Post("http://h/v1/token", "application/json", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			var out signedIn
			parse(t, string(text), &out)
			if kind := response.Header.Get("x-amzn-errortype"); response.StatusCode != want.status || kind != want.kind || out.Error != want.reason {
				t.Errorf("%q: %d %s %s", want.fail, response.StatusCode, kind, text)
			}
			if took := time.Since(began); took != time.Duration(n+1)*time.Second {
				t.Errorf("%q took %s", want.fail, took)
			}
		}
	})
}

func TestSigninWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := New(Options{}), newPipe()
		defer s.Close()
		signin := s.Signin(SigninOptions{})
		signin.Serve(p)
		in, private := login(t, signin.Login("dev"))
		pause(t.Context(), 15*time.Minute)
		if !in.AccessToken.ExpiresAt.Equal(time.Now()) {
			t.Errorf("its life is 15 min, and it ends at %s", in.AccessToken.ExpiresAt)
		}
		d := newDraft(t, private)
		d.claims["iat"] = time.Now().Unix()
		body := marshal(map[string]string{"clientId": in.ClientID, "grantType": "refresh_token", "refreshToken": in.RefreshToken})
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://h/v1/token", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("DPoP", d.sign(t, private))
		client := p.client()
		defer client.CloseIdleConnections()
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != 200 {
			t.Errorf("%d", response.StatusCode)
		}
	})
}
