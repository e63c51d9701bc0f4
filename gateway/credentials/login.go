package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/smithy-go"
)

// loginAhead is how long before its end a login's token is refreshed: no less than a Cache seeks newer ones.
const loginAhead = window + window/2

// loginCache is the directory of the token files of "aws login".
func loginCache() string {
	if dir := os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"); dir != "" {
		return dir
	}
	return filepath.Join(homeDir(), ".aws", "login", "cache")
}

// login is the credentials of an "aws login", refreshed if they end soon. Refresh tokens are good for one use,
// so one route at a time looks at the file, and the others find there what it wrote.
func (l link) login(ctx context.Context) (aws.Credentials, error) {
	if err := l.located(); err != nil {
		return aws.Credentials{}, err
	}
	path, err := logincreds.StandardCachedTokenFilepath(l.profile.LoginSession, loginCache())
	if err != nil {
		return aws.Credentials{}, none(l.name() + ": there is no home directory to look for a login in")
	}
	waitFor(ctx, "sts_unreachable", l.name()+": the refresh of its login")
	_, leave, err := l.options.Home.enter(ctx, "login "+path)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer leave()
	text, err := l.tokenFile(ctx, path)
	if err != nil {
		return aws.Credentials{}, l.loginExpired(err)
	}
	end, keyID := endOf(text)
	now := stageOf(ctx).clock()
	if end.Sub(now) > loginAhead && !isRefused(ctx, keyID) {
		return l.loggedIn(ctx, path)
	}
	creds, err := l.renewLogin(ctx, path, text)
	if err != nil && end.After(now) && !isRefused(ctx, keyID) {
		return l.loggedIn(ctx, path) // they still serve
	}
	return creds, err
}

// loggedIn is what a token file holds that has not ended: nobody is asked.
func (l link) loggedIn(ctx context.Context, path string) (aws.Credentials, error) {
	creds, err := logincreds.New(nil, path).Retrieve(ctx)
	if err != nil {
		return creds, l.loginExpired(err)
	}
	return creds, usable(ctx, creds, l.name())
}

// renewLogin refreshes a token. The SDK's provider does so only once it has ended, and writes over the file
// that others read; so it is given a copy that says it has, which then replaces the file whole.
func (l link) renewLogin(ctx context.Context, path string, text []byte) (aws.Credentials, error) {
	beside, err := ended(path, text)
	if err != nil {
		return aws.Credentials{}, l.loginExpired(err)
	}
	defer func() { _ = os.Remove(beside) }() // gone already if all went well
	cfg, err := l.config(ctx, l.region, aws.AnonymousCredentials{})
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := l.ask(ctx, "the sign-in service", logincreds.New(signin.NewFromConfig(cfg), beside))
	if err != nil {
		return creds, l.notRenewed(err)
	}
	written, err := os.ReadFile(beside)
	if err == nil {
		l.options.Home.wrote(path, written)
		l.read.file(path, written)
		err = os.Rename(beside, path)
	}
	if err != nil {
		return creds, l.loginExpired(err)
	}
	return creds, usable(ctx, creds, l.name())
}

// ended is a copy of a token file, beside it, that says its credentials have ended.
func ended(path string, text []byte) (beside string, err error) {
	var token map[string]any
	if err := json.Unmarshal(text, &token); err != nil {
		return "", err
	}
	access, ok := token["accessToken"].(map[string]any)
	if !ok {
		return "", errors.New("no accessToken")
	}
	access["expiresAt"] = time.Unix(0, 0).UTC()
	if text, err = json.Marshal(token); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".signet-*")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	return file.Name(), errors.Join(err, file.Close())
}

// endOf is when a login's credentials end, and the id of their key. Zero: the file does not say.
func endOf(text []byte) (end time.Time, keyID string) {
	var token struct {
		AccessToken struct {
			AccessKeyID string    `json:"accessKeyId"`
			ExpiresAt   time.Time `json:"expiresAt"`
		} `json:"accessToken"`
	}
	_ = json.Unmarshal(text, &token) // a file that is none has ended
	return token.AccessToken.ExpiresAt, token.AccessToken.AccessKeyID
}

// notRenewed says why a login was not refreshed: what the SDK says without having asked is about the file.
func (l link) notRenewed(err error) error {
	var asked *smithy.OperationError
	var api smithy.APIError
	if !errors.As(err, &asked) && !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &api) && !busy(err, api) {
		return l.loginExpired(err)
	}
	return l.refused("the sign-in service", "", err)
}

func (l link) loginExpired(err error) error {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrPermission):
		return &Error{Reason: "no_credentials", Err: err, Message: l.name() + ": the refreshed login cannot be written to ~/.aws/login/cache"}
	}
	return &Error{Reason: "login_expired", Action: l.command("login"), Message: "the login of " + l.name() + " expired", Err: err}
}
