package sandbox

import (
	"net/http"
	"net/url"
)

// role is GetRoleCredentials: what an access token is worth.
func (s *SSO) role(w *response, access, query string) {
	asked, err := url.ParseQuery(query)
	name, account := asked.Get("role_name"), asked.Get("account_id")
	id := s.sandbox.known(name)
	switch {
	case err != nil || name == "" || account == "":
		w.refuse(refuse(400, "InvalidRequestException", "role_name and account_id are required"))
	case !s.admits(access):
		w.refuse(failure("UnauthorizedException"))
	case id == nil || id.Account != account:
		w.refuse(refuse(403, "ForbiddenException", "No access"))
	default:
		w.whole(http.StatusOK, "application/json", s.roleCredentials(id))
	}
}

// roleCredentials are new credentials as the portal says them.
func (s *SSO) roleCredentials(id *Identity) string {
	c := s.sandbox.issue(id, "sso-user", s.options.Life)
	var said struct {
		Role struct {
			AccessKeyID     string `json:"accessKeyId"`
			SecretAccessKey string `json:"secretAccessKey"`
			SessionToken    string `json:"sessionToken"`
			Expiration      int64  `json:"expiration"` // in milliseconds
		} `json:"roleCredentials"`
	}
	said.Role.AccessKeyID, said.Role.SecretAccessKey, said.Role.SessionToken = c.AccessKeyID, c.SecretAccessKey, c.SessionToken
	said.Role.Expiration = c.Expires.UnixMilli()
	return marshal(said)
}
