package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"os"
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
	return inHome(".aws", "login", "cache")
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
	waitFor(ctx, "sts_unreachable", l.name()+": the refresh of its login by another route")
	_, leave, err := l.options.Home.enter(ctx, "login "+path)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer leave()
	f, err := l.token(ctx, path)
	if err != nil {
		return aws.Credentials{}, l.loginExpired(err)
	}
	end, keyID := endOf(f.text)
	left := end.Sub(stageOf(ctx).clock())
	if left > loginAhead && !isRefused(ctx, keyID) {
		return l.loggedIn(ctx, path)
	}
	if err := l.renewLogin(ctx, f); err != nil && (left <= 0 || isRefused(ctx, keyID)) {
		return aws.Credentials{}, err
	}
	return l.loggedIn(ctx, path) // those of now, or those that could not be renewed yet
}

// loggedIn is what a token file holds that has not ended: nobody is asked.
func (l link) loggedIn(ctx context.Context, path string) (aws.Credentials, error) {
	f, err := l.token(ctx, path)
	if end, _ := endOf(f.text); err != nil || !time.Now().Before(end) {
		return aws.Credentials{}, l.loginExpired(err)
	}
	creds, err := logincreds.New(nil, path).Retrieve(ctx)
	if err != nil {
		return creds, l.loginExpired(err)
	}
	return creds, usable(ctx, creds, l.name())
}

// renewLogin refreshes a token. The SDK's provider does so only once it has ended, and so is told that it has.
func (l link) renewLogin(ctx context.Context, f tokenFile) error {
	says, err := ended(f.text)
	if err != nil {
		return l.loginExpired(err)
	}
	cfg, err := l.config(ctx, l.region, aws.AnonymousCredentials{})
	if err != nil {
		return err
	}
	err = l.renew(f, says, func(beside string) error {
		_, err := l.ask(ctx, "the sign-in service", logincreds.New(signin.NewFromConfig(cfg), beside))
		return err
	})
	if err != nil {
		return l.notRenewed(err)
	}
	return nil
}

// ended is what a token file would hold whose credentials have ended.
func ended(text []byte) ([]byte, error) {
	var token map[string]any
	if err := json.Unmarshal(text, &token); err != nil {
		return nil, err
	}
	access, ok := token["accessToken"].(map[string]any)
	if !ok {
		return nil, errors.New("no accessToken")
	}
	access["expiresAt"] = time.Unix(0, 0).UTC()
	return json.Marshal(token)
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
	switch {
	case unwritable(err):
		return &Error{Reason: "no_credentials", Err: err, Message: l.name() + ": the login ends and cannot be refreshed, for its file in ~/.aws/login/cache cannot be written"}
	case !errors.As(err, &asked) && !errors.Is(err, context.DeadlineExceeded), errors.As(err, &api) && !busy(err, api):
		return l.loginExpired(err)
	}
	return l.refused("the sign-in service", "", err)
}

func (l link) loginExpired(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Reason: "login_expired", Action: l.command("login"), Message: "the login of " + l.name() + " expired", Err: err}
}
