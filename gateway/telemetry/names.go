package telemetry

// Attribute keys. Those of MCP are of the conventions in open-telemetry/semantic-conventions-genai, status
// Development; the rest are stable ones of semconv v1.43.0. They stand here so that one file changes
// when the conventions do. What is under "signet." is ours.
const (
	keyMethod          = "mcp.method.name"
	keyProtocolVersion = "mcp.protocol.version"
	keySession         = "mcp.session.id"
	keyResource        = "mcp.resource.uri"
	keyTool            = "gen_ai.tool.name"
	keyPrompt          = "gen_ai.prompt.name"
	keyOperation       = "gen_ai.operation.name"
	keyRequestID       = "jsonrpc.request.id"
	keyStatusCode      = "rpc.response.status_code"
	keyErrorType       = "error.type"
	keyHTTPStatus      = "http.response.status_code"
	keyResend          = "http.request.resend_count"
	keyTransport       = "network.transport"
	keyProtocol        = "network.protocol.name"
	keyProtocolNumber  = "network.protocol.version"
	keyServer          = "server.address"
	keyServerPort      = "server.port"
	keyClient          = "client.address"
	keyClientPort      = "client.port"

	keyRoute      = "signet.route"
	keySnapshot   = "signet.snapshot"
	keyCaller     = "signet.client"
	keySource     = "signet.credentials.source"
	keyVia        = "signet.credentials.via"
	keyGeneration = "signet.credentials.generation"
	keyKeyID      = "signet.credentials.key_id"
	keyAccount    = "signet.credentials.account"
	keyRole       = "signet.credentials.role"
	keyAge        = "signet.credentials.age_seconds"
	keySkew       = "signet.clock_skew_seconds"
	keyAttempt    = "signet.attempt"
	keyRetry      = "signet.retry.reason"
	keyReused     = "signet.connection.reused"
	keyOutcome    = "signet.outcome"
	keyEvents     = "signet.response.events"
	keyResult     = "signet.result"
	keyWait       = "signet.queue.wait_seconds"
	keyPosition   = "signet.queue.position"
	keyAhead      = "signet.queue.ahead"
	keyKind       = "signet.kind"   // call or stream
	keyReason     = "signet.reason" // why calls were shed
	keyMismatch   = "signet.header_mismatch"
	keyDrift      = "signet.tool.drift"
	eventDrift    = "signet.tool.drift"
	keyHeader     = "signet.header"

	keyHash = "hash" // signet_config_info{hash} in Prometheus
)

// sessionless is the first revision in which mcp.session.id must not be set.
const sessionless = "2026-07-28"

// metricMethod is method as metrics carry it: a name outside the specification is folded into one, so
// that a client cannot make series.
func metricMethod(method string) string {
	switch method {
	case "initialize", "ping", "server/discover", "completion/complete", "logging/setLevel",
		"tools/list", "tools/call", "prompts/list", "prompts/get",
		"resources/list", "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe",
		"subscriptions/listen", "tasks/get", "tasks/update", "tasks/cancel", "tasks/list", "tasks/result",
		"notifications/initialized", "notifications/cancelled", "notifications/progress", "notifications/roots/list_changed",
		"GET", "DELETE", "response", "batch":
		return method
	}
	return "_OTHER"
}
