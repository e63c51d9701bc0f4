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
	keyArguments       = "gen_ai.tool.call.arguments" // opt-in: telemetry.capture_arguments

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
	keySignWait   = "signet.credentials.wait_seconds"
	keySkew       = "signet.clock_skew_seconds"
	keyAttempt    = "signet.attempt"
	keyRetry      = "signet.retry.reason"
	keyRetries    = "signet.retry.count"
	keyReused     = "signet.connection.reused"
	keyConnWait   = "signet.connection.wait_seconds"
	keyFirstByte  = "signet.first_byte_seconds"
	keyOutcome    = "signet.outcome"
	keyAsked      = "signet.request.bytes"
	keyAnswered   = "signet.response.bytes"
	keyEvents     = "signet.response.events"
	keyDuration   = "signet.duration_seconds" // of a log line; a span has its own
	keyWait       = "signet.queue.wait_seconds"
	keyPosition   = "signet.queue.position"
	keyAhead      = "signet.queue.ahead"
	keyResult     = "signet.result" // ok or failed
	keyKind       = "signet.kind"   // call or stream
	keyReason     = "signet.reason" // why calls were shed or repeated, or records dropped
	keyState      = "signet.state"  // of connections: active or idle
	keySignal     = "signet.signal" // traces, metrics or logs

	keyHash = "hash" // signet_config_info{hash} in Prometheus
)

// Names of our own child spans; those of credentials have another, signet.credentials.fetch.
const (
	spanQueue     = "signet.queue.wait"
	spanSignature = "signet.credentials.wait"
	spanRetry     = "signet.retry.wait"
)

// Instruments. The four of MCP are the conventions'. In Prometheus a dot is an underscore, and the unit and
// _total follow.
const (
	metricServer        = "mcp.server.operation.duration"
	metricClient        = "mcp.client.operation.duration"
	metricServerSession = "mcp.server.session.duration"
	metricClientSession = "mcp.client.session.duration"

	metricActive     = "signet.calls.active"
	metricRunning    = "signet.calls.running"
	metricStreams    = "signet.streams.open"
	metricQueue      = "signet.queue.length"
	metricQueueWait  = "signet.queue.wait"
	metricPool       = "signet.pool.connections"
	metricCircuit    = "signet.circuit.state"
	metricSheds      = "signet.sheds"
	metricRetries    = "signet.retries"
	metricDropped    = "signet.notifications.dropped"
	metricPanics     = "signet.panics"
	metricMemory     = "signet.memory.used"
	metricMemoryMost = "signet.memory.limit"

	metricRefreshes = "signet.credentials.refreshes"
	metricExpiry    = "signet.credentials.expiry.timestamp"
	metricAge       = "signet.credentials.age"

	metricReloaded   = "signet.config.last_reload.successful"
	metricReloadedAt = "signet.config.last_reload.success.timestamp"
	metricConfig     = "signet.config.info"
	metricRoutes     = "signet.routes"
	metricRetiring   = "signet.routes.retiring"

	metricExported    = "signet.telemetry.exported"
	metricLost        = "signet.telemetry.dropped"
	metricExportQueue = "signet.telemetry.queue.length"
)

// other stands on metrics for what is not on a bounded list.
const other = "_OTHER"

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
	return other
}

// metricVersion is a protocol revision as metrics carry it.
func metricVersion(version string) string {
	switch version {
	case "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28":
		return version
	}
	return other
}
