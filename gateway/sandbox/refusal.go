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

// query is the code that the services with XML answers, STS among them, have for what no says, and its status.
func (no *refusal) query() (code string, status int) {
	switch no.kind {
	case "MissingAuthenticationTokenException":
		return "MissingAuthenticationToken", 403
	case "IncompleteSignatureException":
		return "IncompleteSignature", 400
	case "InvalidSignatureException", "XAmzContentSHA256Mismatch":
		return "SignatureDoesNotMatch", 403
	case "UnrecognizedClientException":
		return "InvalidClientTokenId", 403
	case "ExpiredTokenException":
		return "ExpiredToken", 403
	}
	return no.kind, no.status
}
