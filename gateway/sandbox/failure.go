package sandbox

// failure is AWS saying no with that code, for no reason. The status is the one that the services of the
// sandbox have for it: the codes of STS and of those with JSON answers are other ones.
func failure(code string) *refusal {
	switch code {
	case "AccessDenied", "SignatureDoesNotMatch", "MissingAuthenticationToken", "RegionDisabledException", "IDPRejectedClaim", "ForbiddenException":
		return refuse(403, code, "You are not authorized to perform this operation.")
	case "InvalidClientTokenId":
		return refuse(403, code, "The security token included in the request is invalid.")
	case "ExpiredToken":
		return refuse(403, code, "The security token included in the request is expired")
	case "UnauthorizedException":
		return refuse(401, code, "Session token not found or invalid")
	case "InvalidClientException":
		return refuse(401, code, "Invalid client credentials provided.")
	case "ResourceNotFoundException":
		return refuse(404, code, "The requested resource does not exist.")
	case "Throttling", "ThrottlingException":
		return refuse(400, code, "Rate exceeded")
	case "TooManyRequestsException", "TooManyRequestsError":
		return refuse(429, code, "HTTP 429 Unknown Code")
	case "InternalFailure", "InternalError", "InternalServerException":
		return refuse(500, code, "The request processing has failed because of an unknown error, exception or failure.")
	case "ServiceUnavailable", "ServiceUnavailableException":
		return refuse(503, code, "The request has failed due to a temporary failure of the server.")
	}
	return refuse(400, code, "The request was refused: %s", code)
}
