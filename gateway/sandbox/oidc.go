package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// token is CreateToken: a new access token for a refresh token, and a new refresh token with it. no is why it
// is refused whatever it says.
func (s *SSO) token(w *response, r *request, no *refusal) {
	var in struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
		GrantType    string `json:"grantType"`
		RefreshToken string `json:"refreshToken"`
	}
	err := json.Unmarshal(r.body, &in)
	switch {
	case no != nil:
	case err != nil || in.GrantType == "" || in.ClientID == "" || in.ClientSecret == "":
		no = refuse(400, "InvalidRequestException", "Invalid or missing parameters")
	case in.ClientID != s.clientID || in.ClientSecret != s.secret:
		no = failure("InvalidClientException")
	case in.GrantType != "refresh_token":
		no = refuse(400, "UnsupportedGrantTypeException", "Unsupported grant type %s", in.GrantType)
	default:
		if _, ok := s.refresh.use(in.RefreshToken, ""); !ok {
			no = refuse(400, "InvalidGrantException", "Invalid refresh token provided")
		}
	}
	if no != nil {
		s.refuse(w, no)
		return
	}
	access, _ := s.newAccess(s.options.TokenLife)
	w.whole(http.StatusOK, "application/json", marshal(struct {
		AccessToken  string `json:"accessToken"`
		TokenType    string `json:"tokenType"`
		ExpiresIn    int    `json:"expiresIn"`
		RefreshToken string `json:"refreshToken"`
	}{access, "Bearer", int(s.options.TokenLife / time.Second), s.refresh.add(grant{})}))
}

// refuse answers as OIDC says no: an error of OAuth in the body.
func (s *SSO) refuse(w *response, no *refusal) {
	s.mu.Lock()
	s.tokenRefusals++
	s.mu.Unlock()
	w.whole(no.status, "application/json", marshal(struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{oauthError(no.kind), no.message}), "x-amzn-errortype", no.kind)
}

// oauthError is OAuth's code for an error type of OIDC's: invalid_grant for InvalidGrantException.
func oauthError(kind string) string {
	if kind == "InternalServerException" {
		return "server_error"
	}
	var b strings.Builder
	for i, c := range strings.TrimSuffix(kind, "Exception") {
		if unicode.IsUpper(c) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
