package sandbox

import (
	"strings"
)

// An authorization is the Authorization header, taken apart.
type authorization struct {
	keyID, date, region, service string
	signed                       []string
	signature                    string
}

// scope is what the signature is limited to.
func (a authorization) scope() string {
	return strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
}

func parseAuthorization(r *request) (authorization, *refusal) {
	values := r.all("Authorization")
	if len(values) == 0 {
		return authorization{}, refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	if len(values) > 1 {
		return authorization{}, incomplete("There is more than one Authorization header.")
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if scheme != algorithm {
		return authorization{}, incomplete("Unsupported AWS 'algorithm': '" + scheme + "'.")
	}
	parts, no := parameters(rest)
	if no != nil {
		return authorization{}, no
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 {
		return authorization{}, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	if scope[4] != "aws4_request" {
		return authorization{}, invalid("Credential should be scoped with a valid terminator: 'aws4_request', not '%s'.", scope[4])
	}
	return authorization{
		keyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signed: strings.Split(parts["SignedHeaders"], ";"), signature: parts["Signature"],
	}, nil
}

// parameters are the three of an Authorization header, each there once and no other with them.
func parameters(header string) (map[string]string, *refusal) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		part = strings.Trim(part, " \t")
		name, value, ok := strings.Cut(part, "=")
		_, again := parts[name]
		if !ok || again || name != "Credential" && name != "SignedHeaders" && name != "Signature" {
			return nil, incomplete("'" + name + "' is not one of the parameters of an Authorization header, or there twice.")
		}
		parts[name] = value
	}
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if missing.Len() > 0 {
		return nil, incomplete(strings.TrimSpace(missing.String()))
	}
	return parts, nil
}
