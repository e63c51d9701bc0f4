package credentials

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"signet/gateway/sandbox"
)

func newLink() link {
	return link{profile: &config.SharedConfig{Profile: "p"}, options: ProfileOptions{Home: NewHome()}, read: newReading(config.SharedConfig{}, nil)}
}

func TestADirectoryThatCannotBeWrittenCostsNoRefreshToken(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("it takes a directory that root cannot write, as /proc is")
	}
	asked := false
	err := newLink().renew(tokenFile{path: "/proc/self/status"}, []byte("{}"), func(string) error { asked = true; return nil })
	if err == nil || asked {
		t.Errorf("%v, asked %v", err, asked)
	}
}

func TestWhatCannotBeWrittenIsNoExpiredLogin(t *testing.T) {
	for _, cause := range []error{fs.ErrPermission, syscall.EROFS, syscall.ENOSPC, &fs.PathError{Err: syscall.EROFS}} {
		cause = fmt.Errorf("save token: %w", cause)
		for _, err := range []error{newLink().noToken(cause), newLink().notRenewed(cause)} {
			var known *Error
			if !errors.As(err, &known) || known.Reason != "no_credentials" || !strings.Contains(known.Message, "cannot be written") {
				t.Errorf("%v: %v", cause, err)
			}
		}
	}
}

func TestALoginMadeDuringARenewalStays(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	hold := func(int) time.Duration { close(asked); <-answer; return 0 }
	for name, begin := range map[string]func(t *testing.T) (path, anew string, profile string){
		"aws login": func(t *testing.T) (string, string, string) {
			in, path := newSignin(t, sandbox.SigninOptions{Delay: hold})
			save(t, path, string(in.LoginExpired("ada")))
			return path, string(in.Login("ada")), "r0"
		},
		"SSO": func(t *testing.T) (string, string, string) {
			var once atomic.Bool
			_, sso := newSSO(t, sandbox.SSOOptions{Delay: func(n int) time.Duration {
				if once.Swap(true) {
					return 0
				}
				return hold(n)
			}})
			save(t, ssoToken("corp"), string(sso.LoginExpired()))
			return ssoToken("corp"), string(sso.Login()), "r0"
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked, answer = make(chan struct{}), make(chan struct{})
			path, anew, profile := begin(t)
			h, fetched := NewHome(), make(chan error, 1)
			go func() {
				_, err := NewProfile(ProfileOptions{Profile: profile, Home: h, HTTPClient: loopback(t)}).Fetch(context.Background())
				fetched <- err
			}()
			<-asked
			save(t, path, anew)
			close(answer)
			if err := <-fetched; err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(path)
			if err != nil || string(text) != anew || h.isOurs(path, text) {
				t.Errorf("the user's new login is gone: %v", err)
			}
			_, _, names := readLogin(t, path)
			if len(names) != 1 {
				t.Errorf("left behind: %v", names)
			}
		})
	}
}

func TestWithoutAHomeNoFileOfTheWorkingDirectoryIsRead(t *testing.T) {
	home(t, "", "")
	t.Setenv("AWS_CONFIG_FILE", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "")
	dir := t.TempDir()
	save(t, dir+"/.aws/config", "[profile evil]\ncredential_process = touch "+dir+"/pwned\n")
	t.Chdir(dir)
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	refused(t, ProfileOptions{Profile: "evil", Region: "eu-west-1"})
	if _, err := os.Stat(dir + "/pwned"); err == nil {
		t.Error("its command was run")
	}
	for _, path := range NewHome().Files() {
		if !strings.HasPrefix(path, "/") && runtime.GOOS != "windows" {
			t.Errorf("%s is followed", path)
		}
	}
}

func TestAFileThatMayNotBeReadIsNoMissingProfile(t *testing.T) {
	home(t, "", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()) // a directory
	for _, name := range []string{"dev", ""} {
		e := refused(t, ProfileOptions{Profile: name})
		if e.Reason != "no_credentials" || e.Absent || !strings.Contains(e.Message, "~/.aws/credentials (or AWS_SHARED_CREDENTIALS_FILE) cannot be read: is it a file?") {
			t.Errorf("%q: %+v", name, e)
		}
	}
}
