package sandbox

import "time"

// Login is what a login leaves in ~/.aws/sso/cache/<sha1 of the session's name>.json: an access token, and a
// refresh token for its end.
func (s *SSO) Login() []byte { return s.login(s.options.TokenLife, s.refresh.add(grant{})) }

// LoginExpired is a Login whose access token ended a minute ago. Its refresh token is good.
func (s *SSO) LoginExpired() []byte { return s.login(-time.Minute, s.refresh.add(grant{})) }

// LoginDead is a Login whose access token ended a minute ago, and whose refresh token is refused.
func (s *SSO) LoginDead() []byte {
	return s.login(-time.Minute, "aor"+s.sandbox.secret()+s.sandbox.secret())
}

func (s *SSO) login(life time.Duration, refresh string) []byte {
	access, end := s.newAccess(life)
	return []byte(marshal(struct {
		StartURL              string `json:"startUrl"`
		Region                string `json:"region"`
		AccessToken           string `json:"accessToken"`
		ExpiresAt             string `json:"expiresAt"`
		ClientID              string `json:"clientId"`
		ClientSecret          string `json:"clientSecret"`
		RegistrationExpiresAt string `json:"registrationExpiresAt"`
		RefreshToken          string `json:"refreshToken"`
	}{
		s.options.StartURL, s.options.Region, access, end.UTC().Format(time.RFC3339), s.clientID, s.secret,
		s.sandbox.now().Add(90 * 24 * time.Hour).UTC().Format(time.RFC3339), refresh,
	}))
}
