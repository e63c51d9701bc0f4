// A client that does as it is told: a command a line on standard input, its outcome a line on standard output.
// Usage: node driver.mjs v1|v2 legacy|auto
import { createInterface } from 'node:readline';

const [version, mode] = process.argv.slice(2);
const sdk = version === 'v1' ? await v1() : await v2();
const sessions = new Map(), calls = new Map();

// A provider with which a 401 starts OAuth: its first steps are what nobody should ever see.
const provider = {
  redirectUrl: 'http://127.0.0.1:1/callback',
  clientMetadata: { redirect_uris: ['http://127.0.0.1:1/callback'], client_name: 'clients' },
  clientInformation: () => undefined,
  saveClientInformation: () => {},
  tokens: () => undefined,
  saveTokens: () => {},
  redirectToAuthorization: () => {},
  saveCodeVerifier: () => {},
  codeVerifier: () => 'verifier',
};

async function v1() {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const types = await import('@modelcontextprotocol/sdk/types.js');
  return {
    Client, StreamableHTTPClientTransport, options: {},
    request: (client, method, f) => client.setRequestHandler(
      { 'elicitation/create': types.ElicitRequestSchema, 'sampling/createMessage': types.CreateMessageRequestSchema }[method], f),
    notification: (client, method, f) => client.setNotificationHandler(
      { 'notifications/message': types.LoggingMessageNotificationSchema, 'notifications/tools/list_changed': types.ToolListChangedNotificationSchema }[method], f),
    call: (client, params, options) => client.callTool(params, undefined, options),
    list: client => client.listTools(),
  };
}

async function v2() {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  return {
    Client, StreamableHTTPClientTransport, options: { versionNegotiation: { mode } },
    request: (client, method, f) => client.setRequestHandler(method, f),
    notification: (client, method, f) => client.setNotificationHandler(method, f),
    call: (client, params, options) => client.callTool(params, options),
    list: client => client.listTools(undefined, { cacheMode: 'bypass' }),
  };
}

async function open({ session, url, key }) {
  const told = { progress: 0, logs: 0, changes: 0, events: [] };
  const options = { capabilities: { elicitation: {}, sampling: {} }, ...sdk.options };
  if (version === 'v2') options.listChanged = { tools: { autoRefresh: false, debounceMs: 0, onChanged: () => { told.changes++; } } };
  const client = new sdk.Client({ name: 'clients', version: '1' }, options);
  client.onerror = error => told.events.push(String(error).slice(0, 200));
  client.onclose = () => told.events.push('closed');
  sdk.request(client, 'elicitation/create', ({ params }) =>
    params.message.includes('decline') ? { action: 'decline' } : { action: 'accept', content: { name: 'Ada' } });
  sdk.request(client, 'sampling/createMessage', () => ({ model: 'm', role: 'assistant', content: { type: 'text', text: 'Paris' } }));
  sdk.notification(client, 'notifications/message', () => { told.logs++; });
  if (version === 'v1') sdk.notification(client, 'notifications/tools/list_changed', () => { told.changes++; });
  sessions.set(session, { client, told });
  const requestInit = key ? { headers: { Authorization: `Bearer ${key}` } } : undefined;
  await client.connect(new sdk.StreamableHTTPClientTransport(new URL(url), { authProvider: key ? undefined : provider, requestInit }));
  return {};
}

async function call({ id, session, tool, args, timeout }) {
  const { client, told } = sessions.get(session);
  const abort = new AbortController();
  calls.set(id, abort);
  const _meta = tool === 'log' ? { 'io.modelcontextprotocol/logLevel': 'debug' } : undefined;
  const options = { timeout: timeout ?? 8000, signal: abort.signal, onprogress: () => { if (tool === 'progress') told.progress++; } };
  const result = await sdk.call(client, { name: tool, arguments: args ?? {}, _meta }, options);
  return { text: result.content?.[0]?.text ?? '', isError: result.isError ?? false };
}

const operations = {
  open, call,
  list: async ({ session }) => ({ tools: (await sdk.list(sessions.get(session).client)).tools.length }),
  level: async ({ session }) => { await sessions.get(session).client.setLoggingLevel('debug'); return {}; },
  told: async ({ session }) => sessions.get(session).told,
  abort: async ({ target }) => { calls.get(target).abort('left'); return {}; },
  close: async ({ session }) => { await sessions.get(session)?.client.close(); return {}; },
};

async function run(command) {
  const began = performance.now();
  const reply = { id: command.id };
  try {
    Object.assign(reply, await operations[command.op](command));
  } catch (error) {
    reply.error = { code: typeof error?.code === 'number' ? error.code : 0, message: String(error?.message ?? error), data: error?.data };
  }
  reply.ms = performance.now() - began;
  process.stdout.write(JSON.stringify(reply) + '\n');
}

process.on('unhandledRejection', error => process.stderr.write(`unhandled: ${error?.stack ?? error}\n`));
createInterface({ input: process.stdin }).on('line', line => run(JSON.parse(line))).on('close', () => process.exit(0));
process.stdout.write(JSON.stringify({ id: 0 }) + '\n');
