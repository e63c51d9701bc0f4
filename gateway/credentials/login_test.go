package credentials

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"signet/gateway/sandbox"
)

// newSignin is a Signin, and profiles r0 to r7 of one login of ada's, whose token file is at path.
func newSignin(t *testing.T, o sandbox.SigninOptions) (in *sandbox.Signin, path string) {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	session := cloud.Identity("ada").ARN() + "ada"
	var text strings.Builder
	for n := range 8 {
		fmt.Fprintf(&text, "[profile r%d]\nlogin_session = %s\nregion = us-east-1\n", n, session)
	}
	home(t, text.String(), "")
	in = cloud.Signin(o)
	t.Setenv("AWS_ENDPOINT_URL_SIGNIN", in.URL())
	sum := sha256.Sum256([]byte(session))
	return in, filepath.Join(os.Getenv("HOME"), ".aws", "login", "cache", hex.EncodeToString(sum[:])+".json")
}

func TestALoginGivesItsCredentialsAndIsRefreshedAhead(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{Life: 15 * time.Minute})
	save(t, path, string(in.Login("ada")))
	f, err := fetch(t, ProfileOptions{Profile: "r0"})
	if err != nil || f.Credentials.SessionToken == "" || f.Credentials.AccountID == "" || f.Via != "aws login" || in.TokenCalls() != 0 {
		t.Fatalf("%+v, %v, %d token calls", f, err, in.TokenCalls())
	}
	short, path := newSignin(t, sandbox.SigninOptions{Life: 7 * time.Minute})
	save(t, path, string(short.Login("ada")))
	before, _, _ := readLogin(t, path)
	f, err = fetch(t, ProfileOptions{Profile: "r0"})
	after, mode, names := readLogin(t, path)
	if err != nil || short.TokenCalls() != 1 || f.Credentials.AccessKeyID == before || f.Credentials.AccessKeyID != after {
		t.Errorf("%v, %d token calls: it has %s, the file %s, before %s", err, short.TokenCalls(), MaskKeyID(f.Credentials.AccessKeyID), MaskKeyID(after), MaskKeyID(before))
	}
	if mode != 0o600 || len(names) != 1 {
		t.Errorf("the file has mode %o, and there are %v beside it", mode, names)
	}
}

// readLogin is what a token file holds, its mode, and what its directory does.
func readLogin(t *testing.T, path string) (keyID string, mode os.FileMode, names []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	beside, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range beside {
		names = append(names, entry.Name())
	}
	_, keyID = endOf(text)
	return keyID, info.Mode().Perm(), names
}

func TestPitfall15_ANewLoginServesWithoutARestart(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{})
	c := newCache(t, NewProfile(ProfileOptions{Profile: "r0", HTTPClient: loopback(t)}), Options{})
	for _, login := range []string{"", "{", `{"accessToken":3}`, string(in.LoginDead("ada"))} {
		if login != "" {
			save(t, path, login)
			c.Recheck()
		}
		_, _, err := get(c)
		var known *Error
		if !errors.As(err, &known) || known.Reason != "login_expired" || known.Message != `the login of profile "r0" expired` || known.Action != "aws login --profile r0" {
			t.Fatalf("%.20s: %+v", login, err)
		}
	}
	save(t, path, string(in.Login("ada")))
	c.Recheck()
	if _, _, err := get(c); err != nil {
		t.Errorf("after the login: %v", err)
	}
}

func TestPitfall14_EightRoutesRefreshOneLoginOnce(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{Delay: func(int) time.Duration { return 5 * time.Millisecond }})
	save(t, path, string(in.LoginExpired("ada")))
	if served := coldRoutes(t, NewHome); served != 8 || in.TokenCalls() != 1 || in.TokenRefusals() != 0 {
		t.Errorf("%d of 8 served by %d token calls, %d refused", served, in.TokenCalls(), in.TokenRefusals())
	}
}

// The control: routes that share nothing spend one refresh token eight times.
func TestPitfall14_ControlOfLoginsWithoutAGate(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{Delay: untilTwo()})
	save(t, path, string(in.LoginExpired("ada")))
	if served := coldRoutes(t, nil); served == 8 || in.TokenRefusals() == 0 {
		t.Errorf("%d of 8 served, %d token calls refused: the test above proves nothing", served, in.TokenRefusals())
	}
}

func TestALoginThatCannotBeRefreshedYetServesToItsEnd(t *testing.T) {
	var down atomic.Bool
	in, path := newSignin(t, sandbox.SigninOptions{Life: 5 * time.Minute, Fail: func(int) string {
		if down.Load() {
			return "InternalServerException"
		}
		return ""
	}})
	save(t, path, string(in.Login("ada")))
	down.Store(true)
	f, err := fetch(t, ProfileOptions{Profile: "r0"})
	if err != nil || in.TokenCalls() != 1 {
		t.Errorf("%+v, %v, %d token calls", f, err, in.TokenCalls())
	}
	save(t, path, string(in.LoginExpired("ada")))
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sts_unreachable" || !strings.Contains(e.Message, "the sign-in service cannot serve now") {
		t.Errorf("%+v", e)
	}
}

func TestALoginWhoseKeyAWSRefusedIsRefreshed(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{Life: time.Hour})
	save(t, path, string(in.Login("ada")))
	c := newCache(t, NewProfile(ProfileOptions{Profile: "r0", HTTPClient: loopback(t)}), Options{})
	first, _, err := get(c)
	if err != nil {
		t.Fatal(err)
	}
	c.Invalidate(first)
	if g, _, err := get(c); err != nil || g.Credentials.AccessKeyID == first.Credentials.AccessKeyID || in.TokenCalls() != 1 {
		t.Errorf("%+v, %v, %d token calls", g, err, in.TokenCalls())
	}
}

// The SDK takes a key that is none for a nil pointer: it panics, in a goroutine of its cache where it cannot be
// recovered.
func TestPitfall05_ALoginWhoseKeyIsNoneIsAnErrorOfItsRoute(t *testing.T) {
	in, path := newSignin(t, sandbox.SigninOptions{})
	text := string(in.LoginExpired("ada"))
	before, _, _ := strings.Cut(text, `"dpopKey"`)
	save(t, path, before+`"dpopKey":"x"}`)
	h := NewHome()
	c := newCache(t, NewProfile(ProfileOptions{Profile: "r0", Home: h, HTTPClient: loopback(t)}), Options{})
	if _, _, err := get(c); err == nil || !strings.Contains(err.Error(), "the source of the credentials panicked") {
		t.Errorf("%v", err)
	}
	save(t, path, string(in.LoginExpired("ada")))
	other := newCache(t, NewProfile(ProfileOptions{Profile: "r1", Home: h, HTTPClient: loopback(t)}), Options{})
	if _, _, err := get(other); err != nil {
		t.Errorf("the gate is shut after the panic: %v", err)
	}
}

func TestPitfall18_ALoginAsSourceProfileIsRefusedByBothNames(t *testing.T) {
	home(t, "[profile outer]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = inner\n[profile inner]\nlogin_session = arn:aws:iam::1:user/me\n", "")
	if e := refused(t, ProfileOptions{Profile: "outer"}); e.Reason != "no_credentials" || !strings.Contains(e.Message, `profile "outer": its source profile "inner" has no credentials that another profile can use`) {
		t.Errorf("%+v", e)
	}
}
