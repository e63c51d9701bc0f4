// A server on the TypeScript SDK that has all that the suite asks servers for, in both eras on one URL. The
// suite's own example is in no package, so this is written from what its scenarios say they need.
//
// Usage: node server.mjs PORT. It listens on loopback, and prints its URL once it does.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createMcpHandler, isLegacyRequest } from '@modelcontextprotocol/server';
import {
  NodeStreamableHTTPServerTransport,
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node';
import { everything } from './everything.mjs';

// Events keeps the events of a session's streams, so that a client can have what came after the last it saw.
class Events {
  #kept = [];

  async storeEvent(stream, message) {
    const id = String(this.#kept.length);
    this.#kept.push({ id, stream, message });
    return id;
  }

  async getStreamIdForEventId(id) {
    return this.#kept[Number(id)]?.stream;
  }

  async replayEventsAfter(last, { send }) {
    const { stream } = this.#kept[Number(last)];
    for (const event of this.#kept.slice(Number(last) + 1)) {
      if (event.stream === stream) await send(event.id, event.message);
    }
    return stream;
  }
}

const sessions = new Map(); // transport by session id

// begin is a transport for a session that is about to begin.
async function begin() {
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new Events(),
    retryInterval: 200,
    onsessioninitialized: id => sessions.set(id, transport),
    onsessionclosed: id => sessions.delete(id),
  });
  await everything().connect(transport);
  return transport;
}

function refuse(res, status, message) {
  const body = { jsonrpc: '2.0', id: null, error: { code: -32000, message } };
  res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function legacy(req, res, body) {
  const id = req.headers['mcp-session-id'];
  if (id !== undefined && !sessions.has(id)) return refuse(res, 404, 'no such session');
  if (id === undefined && body?.method !== 'initialize') return refuse(res, 400, 'no session');
  const transport = sessions.get(id) ?? (await begin());
  return transport.handleRequest(req, res, body);
}

const handler = createMcpHandler(() => everything(handler.notify), { legacy: 'reject' });
const modern = toNodeHandler(handler);
const guards = [localhostHostValidation(), localhostOriginValidation()];

// parsed is a request's body, or undefined if it is empty or no JSON.
async function parsed(request) {
  try {
    return await request.json();
  } catch {
    return undefined;
  }
}

const server = createServer(async (req, res) => {
  try {
    if (!guards.every(passes => passes(req, res))) return;
    if (req.method !== 'POST') {
      const old = (req.headers['mcp-protocol-version'] ?? '') < '2026';
      await (old ? legacy(req, res) : modern(req, res));
      return;
    }
    const request = await toWebRequest(req);
    const old = await isLegacyRequest(request);
    const body = await parsed(request);
    await (old ? legacy(req, res, body) : modern(req, res, body));
  } catch (error) {
    console.error(error);
    if (!res.headersSent) refuse(res, 500, String(error));
    else res.destroy();
  }
});

const port = Number(process.argv[2]);
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
