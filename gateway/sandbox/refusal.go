package sandbox

import "fmt"

// A refusal is AWS saying no.
type refusal struct {
	status        int
	kind, message string
	other, mixed  bool // for the ledger
}

func refuse(status int, kind, format string, a ...any) *refusal {
	return &refusal{status: status, kind: kind, message: fmt.Sprintf(format, a...)}
}

// invalid is a signature that is not good for this request.
func invalid(format string, a ...any) *refusal {
	return refuse(403, "InvalidSignatureException", format, a...)
}

// incomplete is a signature that is none.
func incomplete(what string) *refusal {
	return refuse(403, "IncompleteSignatureException", "%s", what)
}

// shaped is no in the shape of an MCP server.
func (no *refusal) shaped(shape string) *refusal {
	said := *no
	switch {
	case shape == AWSMCP && no.kind == "InvalidSignatureException":
		said.status = 401
	case shape == APIGateway && no.kind == "UnrecognizedClientException":
		said.kind = "AccessDeniedException"
	}
	return &said
}

// query is no as the services with XML answers say it, STS among them: the verifier's refusals have another
// code there, and some another status.
func (no *refusal) query() *refusal {
	said := *no
	switch no.kind {
	case "MissingAuthenticationTokenException":
		said.kind = "MissingAuthenticationToken"
	case "IncompleteSignatureException":
		said.status, said.kind = 400, "IncompleteSignature"
	case "InvalidSignatureException", "XAmzContentSHA256Mismatch":
		said.status, said.kind = 403, "SignatureDoesNotMatch"
	case "UnrecognizedClientException":
		said.kind = "InvalidClientTokenId"
	case "ExpiredTokenException":
		said.kind = "ExpiredToken"
	}
	return &said
}
