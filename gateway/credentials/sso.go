package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/sso/types"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/smithy-go"
)

// ssoLegacy reports whether the profile signs in by SSO without a session of its own.
func (l link) ssoLegacy() bool {
	p := l.profile
	return p.SSOSessionName == "" && (p.SSOStartURL != "" || p.SSORegion != "" || p.SSOAccountID != "" || p.SSORoleName != "")
}

// sso asks the SSO portal for the profile's role, as whoever signed in.
func (l link) sso(ctx context.Context) (aws.Credentials, error) {
	p := l.profile
	session := config.SSOSession{Name: p.SSOStartURL, SSOStartURL: p.SSOStartURL, SSORegion: p.SSORegion}
	if p.SSOSession != nil {
		session = *p.SSOSession
	}
	if session.SSORegion == "" || session.SSOStartURL == "" || p.SSOAccountID == "" || p.SSORoleName == "" {
		return aws.Credentials{}, none(l.name() + ": SSO needs sso_start_url, sso_region, sso_account_id and sso_role_name")
	}
	path, err := ssocreds.StandardCachedTokenFilepath(session.Name)
	if err != nil {
		return aws.Credentials{}, none(l.name() + ": there is no home directory to look for an SSO login in")
	}
	cfg, err := l.config(ctx, session.SSORegion, aws.AnonymousCredentials{})
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := l.portal(ctx, cfg, path, session.SSOStartURL)
	if err != nil {
		return aws.Credentials{}, err
	}
	return creds, usable(ctx, creds, l.name())
}

// maxTokens is with how many tokens the portal is asked, of which all but the last ended on their way.
const maxTokens = 3

// portal asks for the role with the token in a file. A session's token that the portal does not take, and that had a
// minute left at most, ended between our look at it and the portal's: it is refreshed as if it had been looked at
// later.
func (l link) portal(ctx context.Context, cfg aws.Config, path, startURL string) (creds aws.Credentials, err error) {
	var refused []byte
	for range maxTokens {
		text, missing := l.signedIn(ctx, cfg, path, refused)
		if missing != nil {
			return creds, missing
		}
		// The portal's provider is left to read the file, which is fresh: what refreshes it itself does so past the gate.
		creds, err = l.ask(ctx, "the SSO portal", ssocreds.New(sso.NewFromConfig(cfg), l.profile.SSOAccountID, l.profile.SSORoleName, startURL, func(o *ssocreds.Options) {
			o.CachedTokenFilepath = path
		}))
		if !noSSOToken(err) || l.profile.SSOSession == nil || !ssoEnds(text, late) {
			break
		}
		refused = text
	}
	switch {
	case noSSOToken(err):
		return creds, l.ssoExpired(err)
	case err != nil:
		return creds, l.refused("the SSO portal", fmt.Sprintf("gives no role %s in account %s", l.profile.SSORoleName, l.profile.SSOAccountID), err)
	}
	return creds, nil
}

// noSSOToken reports whether err says that the token is none that is good.
func noSSOToken(err error) bool {
	var invalid *ssocreds.InvalidTokenError
	var unauthorized *types.UnauthorizedException
	return errors.As(err, &invalid) || errors.As(err, &unauthorized)
}

// signedIn makes sure of the token in a file, and is what the file says. It is refreshed if it is a session's and has
// ended, or was refused. One route at a time looks at the file, and the others find there what it wrote.
func (l link) signedIn(ctx context.Context, cfg aws.Config, path string, refused []byte) ([]byte, error) {
	waitFor(ctx, "sts_unreachable", l.name()+": the refresh of its SSO session by another route")
	_, leave, err := l.options.Home.enter(ctx, "sso "+path)
	if err != nil {
		return nil, err
	}
	defer leave()
	f, err := l.token(ctx, path)
	if err != nil {
		return nil, l.ssoExpired(err)
	}
	if l.profile.SSOSession == nil || !ssoEnds(f.text, 0) && !bytes.Equal(f.text, refused) {
		return f.text, nil
	}
	err = l.renew(f, ssoEnded(f.text), func(beside string) error {
		return l.asking(ctx, "the SSO token service", func(ctx context.Context) error {
			_, err := ssocreds.NewSSOTokenProvider(ssooidc.NewFromConfig(cfg), beside).RetrieveBearerToken(ctx)
			return err
		})
	})
	if err != nil {
		return nil, l.noToken(err)
	}
	return readFile(path)
}

// ssoEnds reports whether a token ends within left, by our clock as the SDK goes by it. What cannot be read has ended.
func ssoEnds(text []byte, left time.Duration) bool {
	var token struct {
		ExpiresAt time.Time `json:"expiresAt"`
	}
	_ = json.Unmarshal(text, &token)
	return !time.Now().Add(left).Before(token.ExpiresAt)
}

// ssoEnded is what a token file would hold whose token has ended: the SDK refreshes no other. What cannot be read is
// left for it to refuse.
func ssoEnded(text []byte) []byte {
	var token map[string]json.RawMessage
	if json.Unmarshal(text, &token) != nil || token == nil {
		return text
	}
	token["expiresAt"] = json.RawMessage(`"1970-01-01T00:00:00Z"`)
	said, err := json.Marshal(token)
	if err != nil {
		return text
	}
	return said
}

// noToken says why a session has no token: what the SDK says without having asked is about the file.
func (l link) noToken(err error) error {
	var asked *smithy.OperationError
	var api smithy.APIError
	switch {
	case unwritable(err):
		return &Error{Reason: "no_credentials", Err: err, Message: l.name() + ": the SSO token has ended and cannot be refreshed, for its file in ~/.aws/sso/cache cannot be written"}
	case !errors.As(err, &asked), errors.As(err, &api) && !busy(err, api):
		return l.ssoExpired(err)
	}
	return l.refused("the SSO token service", "", err)
}

func (l link) ssoExpired(err error) error {
	e := &Error{Reason: "sso_expired", Action: l.command("sso login"), Err: err}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case l.profile.SSOSessionName != "":
		e.Message = fmt.Sprintf("SSO session %q expired", l.profile.SSOSessionName)
	default:
		e.Message = fmt.Sprintf("the SSO session of profile %q expired", l.profile.Profile)
	}
	return e
}

// command is a command of the AWS CLI for the profile.
func (l link) command(verb string) string { return "aws " + verb + " --profile " + l.profile.Profile }
