package gateway

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
)

// maxNo is the largest body that is read for what AWS says. A longer one is not AWS's.
const maxNo = 8 << 10

// A no is what an upstream says when it refuses a request.
type no struct {
	class   class
	kind    string // ExpiredTokenException; empty: it gave none
	message string
	prose   bool // it is no machine's: a web page, or text, as proxies write them
}

// A class is what kind of no it is, and so what may be done about it.
type class int

const (
	otherNo     class = iota // not AWS's
	staleNo                  // other credentials may do
	clockNo                  // the signature's time is off
	signatureNo              // the signature is wrong
	deniedNo                 // whoever signed may not
	throttledNo              // later
)

// readNo reads a refusal in any of the shapes services give it: the X-Amzn-Errortype header, JSON or XML.
func readNo(response *http.Response, body []byte) no {
	var n no
	switch {
	case len(body) > maxNo:
	case json.Valid(body):
		n.readJSON(body)
	default:
		n.readXML(body)
		n.prose = len(body) > 0 && n.kind == "" && n.message == ""
	}
	if kind := response.Header.Get("X-Amzn-Errortype"); kind != "" {
		n.kind = kind
	}
	n.kind, _, _ = strings.Cut(n.kind, ":") // a URI may follow the name
	n.kind = printable(n.kind[strings.LastIndexByte(n.kind, '#')+1:], 64)
	n.class = n.classify(response.StatusCode)
	return n
}

// readJSON reads a body in JSON. A member that is not a string where one belongs is left out.
func (n *no) readJSON(body []byte) {
	var said struct {
		Type    string `json:"__type"`
		Code    string `json:"code"` // and Code, as encoding/json has it
		Message string `json:"message"`
		JSONRPC string `json:"jsonrpc"`
		Error   struct {
			Code    any    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &said)
	n.kind, n.message = said.Type, said.Message
	if n.kind == "" {
		n.kind = said.Code
	}
	switch code := said.Error.Code.(type) {
	case float64:
		// The AWS MCP Server's own way to say it. What else a JSON-RPC error says is a tool's business.
		if said.JSONRPC != "" && code == -32001 && contains(said.Error.Message, "your aws session token has expired") {
			n.message = said.Error.Message
		}
	case string:
		if said.JSONRPC == "" && n.kind == "" {
			n.kind, n.message = code, said.Error.Message
		}
	}
}

// readXML reads the first code and the first message of a body in XML, however deep they stand.
func (n *no) readXML(body []byte) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for n.kind == "" || n.message == "" {
		t, err := d.Token()
		if err != nil {
			return
		}
		start, ok := t.(xml.StartElement)
		switch {
		case ok && start.Name.Local == "Code" && n.kind == "":
			_ = d.DecodeElement(&n.kind, &start)
		case ok && strings.EqualFold(start.Name.Local, "Message") && n.message == "":
			_ = d.DecodeElement(&n.message, &start)
		}
	}
}

// classify sorts a no by its type and its words, for the type alone does not tell: API Gateway says
// AccessDeniedException of a key it does not know, and InvalidSignatureException of a clock.
func (n no) classify(status int) class {
	switch {
	case status != http.StatusBadRequest && status != http.StatusUnauthorized && status != http.StatusForbidden:
		return otherNo
	case isStale(n.kind), contains(n.message, "security token included in the request is"),
		contains(n.message, "your aws session token has expired"):
		return staleNo
	case n.kind == "RequestTimeTooSkewed", n.kind == "RequestExpired",
		contains(n.message, "signature expired"), contains(n.message, "not yet current"):
		return clockNo
	case isSignature(n.kind), contains(n.message, "signature we calculated does not match"):
		return signatureNo
	case isThrottling(n.kind):
		return throttledNo
	case n.unauthorized(), status != http.StatusBadRequest && (n.kind != "" || !n.prose):
		return deniedNo
	}
	return otherNo
}

func isStale(kind string) bool {
	switch kind {
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidClientTokenId",
		"UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken":
		return true
	}
	return false
}

func isSignature(kind string) bool {
	switch kind {
	case "InvalidSignatureException", "InvalidSignature", "SignatureDoesNotMatch", "AuthFailure",
		"IncompleteSignatureException", "IncompleteSignature":
		return true
	}
	return false
}

// isThrottling knows what many services say with status 400.
func isThrottling(kind string) bool {
	switch kind {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "BandwidthLimitExceeded", "SlowDown",
		"ProvisionedThroughputExceededException", "PriorRequestNotComplete", "EC2ThrottledException":
		return true
	}
	return false
}

// unauthorized reports whether AWS says by type that whoever signed may not. The same type may stand for a
// clock that is off.
func (n no) unauthorized() bool {
	return n.kind == "AccessDenied" || n.kind == "AccessDeniedException"
}

// named reports whether AWS says who it is that may not. It then took the signature.
func (n no) named() bool { return strings.Contains(n.message, "User: ") }

// reason is the class as clients and spans are told it.
func (n no) reason() string {
	switch n.class {
	case staleNo:
		if contains(n.kind+n.message, "expired") {
			return "expired"
		}
		return "invalid_token"
	case clockNo:
		return "clock_skew"
	case signatureNo:
		return "signature"
	}
	return "access_denied"
}

// denied takes who and what out of "User: ARN is not authorized to perform: ACTION on resource: …". Empty:
// AWS did not say.
func (n no) denied() (who, action string) {
	if _, after, ok := strings.Cut(n.message, "User: "); ok {
		name, _, _ := strings.Cut(after, " ")
		who = printable(name, 256)
	}
	if _, after, ok := strings.Cut(n.message, "to perform: "); ok {
		verb, _, _ := strings.Cut(after, " ")
		action = printable(verb, 128)
	}
	return who, action
}

// contains reports whether s has words, which are lower case, in any case.
func contains(s, words string) bool { return strings.Contains(strings.ToLower(s), words) }

// printable is a foreign word, cut short, without anything that is not a letter on a page.
func printable(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
