package credentials

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"signet/gateway/sandbox"
)

// ssoToken is where the token of a session, or of a start URL, is.
func ssoToken(name string) string {
	sum := sha1.Sum([]byte(name))
	return filepath.Join(os.Getenv("HOME"), ".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
}

// newSSO is an SSO with eight roles, r0 to r7, each of which has a profile of its name; p.legacy has r0 without
// a session.
func newSSO(t *testing.T, o sandbox.SSOOptions) (*sandbox.Sandbox, *sandbox.SSO) {
	t.Helper()
	cloud := sandbox.New(sandbox.Options{})
	t.Cleanup(cloud.Close)
	var text strings.Builder
	text.WriteString("[sso-session corp]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\n")
	for n := range 8 {
		role := fmt.Sprintf("r%d", n)
		fmt.Fprintf(&text, "[profile %s]\nsso_session = corp\nsso_account_id = %s\nsso_role_name = %s\n", role, cloud.Identity(role).Account, role)
	}
	fmt.Fprintf(&text, "[profile legacy]\nsso_start_url = https://sandbox.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = %s\nsso_role_name = r0\n", cloud.Identity("r0").Account)
	home(t, text.String(), "")
	sso := cloud.SSO(o)
	t.Setenv("AWS_ENDPOINT_URL_SSO", sso.URL())
	t.Setenv("AWS_ENDPOINT_URL_SSO_OIDC", sso.URL())
	return cloud, sso
}

func TestSSOGivesTheRolesCredentials(t *testing.T) {
	for profile, name := range map[string]string{"r0": "corp", "legacy": "https://sandbox.awsapps.com/start"} {
		cloud, sso := newSSO(t, sandbox.SSOOptions{})
		save(t, ssoToken(name), string(sso.Login()))
		f, err := fetch(t, ProfileOptions{Profile: profile})
		if err != nil || !f.Credentials.CanExpire || f.Credentials.AccountID != cloud.Identity("r0").Account || !strings.HasPrefix(f.Via, "SSO") {
			t.Errorf("%s: %+v, %v", profile, f, err)
		}
		if sso.TokenCalls() != 0 || sso.RoleCalls() != 1 {
			t.Errorf("%s: %d token calls, %d role calls", profile, sso.TokenCalls(), sso.RoleCalls())
		}
	}
}

func TestFault_C05_Pitfall15_ANewSSOLoginServesWithoutARestart(t *testing.T) {
	for profile, want := range map[string][2]string{
		"r0":     {"corp", `SSO session "corp" expired`},
		"legacy": {"https://sandbox.awsapps.com/start", `the SSO session of profile "legacy" expired`},
	} {
		_, sso := newSSO(t, sandbox.SSOOptions{})
		c := newCache(t, NewProfile(ProfileOptions{Profile: profile, HTTPClient: loopback(t)}), Options{})
		for _, login := range []string{"", string(sso.LoginDead())} {
			if login != "" {
				save(t, ssoToken(want[0]), login)
				c.Recheck()
			}
			_, _, err := get(c)
			var known *Error
			if !errors.As(err, &known) || known.Reason != "sso_expired" || known.Message != want[1] || known.Action != "aws sso login --profile "+profile {
				t.Fatalf("%s: %+v", profile, err)
			}
		}
		save(t, ssoToken(want[0]), string(sso.Login()))
		c.mu.Lock()
		until := c.backoff.until
		c.mu.Unlock()
		if _, _, err := get(c); err == nil && time.Now().Before(until) {
			t.Errorf("%s: served before anybody said that there is a login: the pause is none", profile)
		}
		c.Recheck()
		if _, _, err := get(c); err != nil {
			t.Errorf("%s: after the login: %v", profile, err)
		}
	}
}

func TestPitfall14_EightRoutesRefreshOneSessionOnce(t *testing.T) {
	_, sso := newSSO(t, sandbox.SSOOptions{Delay: func(int) time.Duration { return 5 * time.Millisecond }})
	save(t, ssoToken("corp"), string(sso.LoginExpired()))
	served := coldRoutes(t, NewHome)
	if served != 8 || sso.TokenCalls() != 1 || sso.TokenRefusals() != 0 || sso.RoleCalls() != 8 {
		t.Errorf("%d of 8 served by %d token calls, of which %d refused, and %d role calls", served, sso.TokenCalls(), sso.TokenRefusals(), sso.RoleCalls())
	}
}

// The control: routes that share nothing spend one refresh token eight times.
func TestPitfall14_ControlOfRoutesWithoutAGate(t *testing.T) {
	_, sso := newSSO(t, sandbox.SSOOptions{Delay: untilTwo()})
	save(t, ssoToken("corp"), string(sso.LoginExpired()))
	served := coldRoutes(t, nil)
	if served == 8 || sso.TokenRefusals() == 0 {
		t.Errorf("%d of 8 served, %d token calls refused: the test above proves nothing", served, sso.TokenRefusals())
	}
}

// untilTwo lets the first request wait for a second.
func untilTwo() func(n int) time.Duration {
	two := make(chan struct{})
	return func(n int) time.Duration {
		if n == 2 {
			close(two)
		}
		<-two
		return 0
	}
}

// coldRoutes calls eight routes at once, each on a profile of its own, and counts those that were served. They
// share a Home if there is one.
func coldRoutes(t *testing.T, shared func() *Home) int64 {
	t.Helper()
	var h *Home
	if shared != nil {
		h = shared()
	}
	var served atomic.Int64
	var all sync.WaitGroup
	for n := range 8 {
		c := newCache(t, NewProfile(ProfileOptions{Profile: fmt.Sprintf("r%d", n), Region: "us-east-1", Home: h, HTTPClient: loopback(t)}), Options{})
		all.Go(func() {
			if _, err := c.Get(context.Background(), time.Now()); err == nil {
				served.Add(1)
			}
		})
	}
	all.Wait()
	return served.Load()
}

func TestPitfall16_ARefreshOfOurOwnIsNoEdit(t *testing.T) {
	_, sso := newSSO(t, sandbox.SSOOptions{})
	save(t, ssoToken("corp"), string(sso.Login()))
	h := NewHome()
	var routes []*Cache
	for n := range 3 {
		c := newCache(t, NewProfile(ProfileOptions{Profile: fmt.Sprintf("r%d", n), Home: h, HTTPClient: loopback(t)}), Options{})
		if _, _, err := get(c); err != nil {
			t.Fatal(err)
		}
		routes = append(routes, c)
	}
	save(t, ssoToken("corp"), string(sso.LoginExpired())) // as time passes
	g, _, _ := get(routes[0])
	routes[0].Invalidate(g)
	if _, _, err := get(routes[0]); err != nil || sso.TokenCalls() != 1 || sso.RoleCalls() != 4 {
		t.Fatalf("%v, %d token calls, %d role calls", err, sso.TokenCalls(), sso.RoleCalls())
	}
	for range 3 {
		for _, c := range routes {
			c.Recheck()
			awaitRefresh(t, c, func(l LastRefresh) bool { return l.Error == "" })
		}
	}
	if sso.RoleCalls() != 4 {
		t.Errorf("%d role calls: the token that route 0 wrote made others fetch anew", sso.RoleCalls()-4)
	}
	save(t, ssoToken("corp"), string(sso.Login()))
	for _, c := range routes {
		before, _, _ := get(c)
		c.Recheck()
		awaitGeneration(t, c, before.Seq+1)
	}
}

// awaitGeneration waits for a set that is being fetched.
func awaitGeneration(t *testing.T, c *Cache, seq uint64) {
	t.Helper()
	for g, _, err := get(c); g == nil || g.Seq < seq; g, _, err = get(c) {
		c.mu.Lock()
		f := c.flight
		c.mu.Unlock()
		if f == nil || t.Context().Err() != nil {
			t.Fatalf("generation %d is not on its way: %+v, %v", seq, g, err)
		}
		<-f.done
	}
}

func TestAPortalThatKnowsNoTokenMeansANewLogin(t *testing.T) {
	_, sso := newSSO(t, sandbox.SSOOptions{})
	save(t, ssoToken("corp"), string(sso.Login()))
	sso.Cancel()
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sso_expired" {
		t.Errorf("%+v", e)
	}
}

// Under load one that ended on its way to the portal was taken for a login that has to be made anew.
func TestATokenThatEndsOnItsWayIsRefreshedAndNoLoginIsAskedFor(t *testing.T) {
	cloud, sso := newSSO(t, sandbox.SSOOptions{TokenLife: 30 * time.Second})
	save(t, ssoToken("corp"), string(sso.Login()))
	sso.Cancel() // for the portal it is later than for us
	f, err := fetch(t, ProfileOptions{Profile: "r0"})
	if err != nil || f.Credentials.AccountID != cloud.Identity("r0").Account || sso.TokenCalls() != 1 || sso.RoleCalls() != 2 {
		t.Errorf("%+v, %v, %d token calls, %d role calls", f, err, sso.TokenCalls(), sso.RoleCalls())
	}
}

func TestAPortalThatTakesNoTokenIsAskedWithThree(t *testing.T) {
	_, sso := newSSO(t, sandbox.SSOOptions{TokenLife: 30 * time.Second, Fail: func(n int) string {
		return []string{"", "UnauthorizedException"}[n%2] // every other request is for a token
	}})
	save(t, ssoToken("corp"), string(sso.Login()))
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sso_expired" || sso.TokenCalls() != 2 || sso.RoleCalls() != 3 {
		t.Errorf("%+v, %d token calls, %d role calls", e, sso.TokenCalls(), sso.RoleCalls())
	}
}

func TestSSOThatCannotServeIsNoExpiredSession(t *testing.T) {
	var failure atomic.Value
	failure.Store("InternalServerException")
	_, sso := newSSO(t, sandbox.SSOOptions{Fail: func(int) string { return failure.Load().(string) }})
	save(t, ssoToken("corp"), string(sso.LoginExpired()))
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sts_unreachable" || !strings.Contains(e.Message, "the SSO token service cannot serve now (InternalServerException)") {
		t.Errorf("%+v", e)
	}
	save(t, ssoToken("corp"), string(sso.Login()))
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sts_unreachable" || !strings.Contains(e.Message, "the SSO portal cannot serve now") {
		t.Errorf("%+v", e)
	}
	failure.Store("ForbiddenException")
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "no_credentials" || !strings.Contains(e.Message, "the SSO portal gives no role r0 in account") {
		t.Errorf("%+v", e)
	}
	sso.Close()
	save(t, ssoToken("corp"), string(sso.LoginExpired()))
	if e := refused(t, ProfileOptions{Profile: "r0"}); e.Reason != "sts_unreachable" || !strings.Contains(e.Message, "the SSO token service could not be reached") {
		t.Errorf("%+v", e)
	}
}
