package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"time"
)

const (
	loginClient    = "arn:aws:signin:::devtools/same-device"
	loginTokenType = "aws_sigv4"
)

// loginKeys are credentials as "aws login" has them, on the wire without account and expiry.
type loginKeys struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	AccountID       string `json:"accountId,omitempty"`
	ExpiresAt       string `json:"expiresAt,omitempty"`
}

// Login is what "aws login" as an identity leaves in ~/.aws/login/cache/<sha256 of login_session>.json:
// credentials, a refresh token for their end, and the key that the token is bound to.
func (s *Signin) Login(identity string) []byte {
	return s.login(s.sandbox.issue(s.sandbox.Identity(identity), "login", s.options.Life), true)
}

// LoginExpired is a Login whose credentials ended a minute ago. Its refresh token is good.
func (s *Signin) LoginExpired(identity string) []byte {
	return s.login(s.sandbox.issueEnded(s.sandbox.Identity(identity), "login"), true)
}

// LoginDead is a Login whose credentials ended a minute ago, and whose refresh token is refused.
func (s *Signin) LoginDead(identity string) []byte {
	return s.login(s.sandbox.issueEnded(s.sandbox.Identity(identity), "login"), false)
}

func (s *Signin) login(c Credentials, refreshable bool) []byte {
	private, public := loginKey()
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		panic(err) // it is of a curve that has a name
	}
	refresh := s.refresh.add(grant{identity: c.Identity, key: public})
	if !refreshable {
		s.refresh.use(refresh, public)
	}
	return []byte(marshal(struct {
		AccessToken   loginKeys `json:"accessToken"`
		TokenType     string    `json:"tokenType"`
		RefreshToken  string    `json:"refreshToken"`
		IdentityToken string    `json:"identityToken"`
		ClientID      string    `json:"clientId"`
		Key           string    `json:"dpopKey"`
	}{
		loginKeys{c.AccessKeyID, c.SecretAccessKey, c.SessionToken, s.sandbox.Identity(c.Identity).Account, c.Expires.UTC().Format(time.RFC3339Nano)},
		loginTokenType, refresh, s.sandbox.WebToken(c.Identity), loginClient,
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	}))
}

// loginKey is a new key, and its public half as a prover has it. No coordinate begins with a zero: the SDK for
// Go cuts those off, and RFC 7518 does not allow that.
func loginKey() (private *ecdsa.PrivateKey, public string) {
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err) // randomness never ends
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			panic(err) // it is of a curve that has an encoding
		}
		if x, y := point[1:1+coordinate], point[1+coordinate:]; x[0] != 0 && y[0] != 0 {
			return key, string(x) + string(y)
		}
	}
}
