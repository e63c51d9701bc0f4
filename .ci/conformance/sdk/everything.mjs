// What the suite's scenarios call: tools, prompts and resources by the names they know.
import { setTimeout as pause } from 'node:timers/promises';
import {
  McpServer,
  ProtocolError,
  ResourceTemplate,
  completable,
  createRequestStateCodec,
  fromJsonSchema,
  acceptedContent,
  inputRequired,
} from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const invalidParams = -32602;

// One pixel of PNG, and a WAV without a sample.
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC';
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const image = { type: 'image', data: png, mimeType: 'image/png' };
const text = value => ({ type: 'text', text: value });
const say = value => ({ content: [text(value)] });
const embedded = (uri, mimeType, value) => ({ type: 'resource', resource: { uri, mimeType, text: value } });

const states = createRequestStateCodec({ key: randomBytes(32) });

// everything is a new server. notify tells the streams of subscriptions/listen that a list changed; a legacy
// server, which has none of these, does without.
export function everything(notify) {
  const server = new McpServer(
    { name: 'everything', version: '1' },
    {
      capabilities: {
        logging: {},
        completions: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
      },
      requestState: { verify: states.verify },
    },
  );
  if (!notify) {
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
      server.server.setRequestHandler(method, () => ({}));
    }
  }
  answers(server);
  streams(server);
  questions(server);
  rounds(server);
  changes(server, notify);
  schemas(server);
  prompts(server);
  resources(server);
  return server;
}

// tool registers a tool without arguments.
function tool(server, name, description, run) {
  server.registerTool(name, { description, inputSchema: z.object({}) }, (_, ctx) => run(ctx));
}

function answers(server) {
  const give = (name, ...content) => tool(server, name, `gives ${content.length} part(s)`, () => ({ content }));
  give('test_simple_text', text('This is a simple text response for testing.'));
  give('test_image_content', image);
  give('test_audio_content', { type: 'audio', data: wav, mimeType: 'audio/wav' });
  give('test_embedded_resource', embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'));
  give(
    'test_multiple_content_types',
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  );
  tool(server, 'test_error_handling', 'fails', () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
}

function streams(server) {
  tool(server, 'test_tool_with_logging', 'logs three lines', async ctx => {
    await ctx.mcpReq.log('info', 'Tool execution started');
    await pause(50);
    await ctx.mcpReq.log('info', 'Tool processing data');
    await pause(50);
    await ctx.mcpReq.log('info', 'Tool execution completed');
    return say('logged');
  });
  tool(server, 'test_logging_tool', 'logs a line to those who asked for it', async ctx => {
    await ctx.mcpReq.log('info', 'a line');
    return say('logged');
  });
  tool(server, 'test_tool_with_progress', 'reports progress', async ctx => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      }
      await pause(50);
    }
    return say('done');
  });
  tool(server, 'test_reconnection', 'leaves its stream before it answers', async ctx => {
    await pause(50);
    ctx.http?.closeSSE?.();
    await pause(100);
    return say('reconnected');
  });
}

const field = (name, message, type = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] },
  });
const sample = (prompt, maxTokens) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(prompt) }], maxTokens });

// ask answers once the client has answered the requests, all of them; until then it asks for those it lacks.
// SDK and client see to it: a legacy client is asked by requests of the server's own.
function ask(ctx, requests, answer) {
  const got = ctx.mcpReq.inputResponses ?? {};
  const lacking = Object.entries(requests).filter(([key, request]) => !fits(request, got[key]));
  return lacking.length > 0 ? inputRequired({ inputRequests: Object.fromEntries(lacking) }) : answer(got);
}

// fits reports whether a response is one to that request.
function fits(request, response) {
  switch (request.method) {
    case 'elicitation/create':
      return typeof response?.action === 'string';
    case 'sampling/createMessage':
      return response?.content !== undefined;
    default:
      return Array.isArray(response?.roots);
  }
}

function questions(server) {
  const asking = { description: 'asks the client', inputSchema: z.object({ prompt: z.string() }) };
  server.registerTool('test_sampling', asking, ({ prompt }, ctx) =>
    ask(ctx, { answer: sample(prompt, 100) }, got => say(`LLM response: ${got.answer.content.text}`)),
  );
  const user = {
    type: 'object',
    properties: {
      username: { type: 'string', description: "User's response" },
      email: { type: 'string', description: "User's email address" },
    },
    required: ['username', 'email'],
  };
  const told = { description: 'asks the user', inputSchema: z.object({ message: z.string() }) };
  server.registerTool('test_elicitation', told, ({ message }, ctx) =>
    ask(ctx, { user: inputRequired.elicit({ message, requestedSchema: user }) }, ({ user: { action, content } }) =>
      say(`User response: action=${action}, content=${JSON.stringify(content ?? {})}`),
    ),
  );
  const form = (name, properties) =>
    tool(server, name, 'has the user fill in a form', ctx =>
      ask(
        ctx,
        { form: inputRequired.elicit({ message: 'Please fill in', requestedSchema: { type: 'object', properties } }) },
        ({ form: { action, content } }) =>
          say(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`),
      ),
    );
  form('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  });
  const options = ['option1', 'option2', 'option3'];
  const titled = word => ['First', 'Second', 'Third'].map((nth, i) => ({ const: `value${i + 1}`, title: `${nth} ${word}` }));
  form('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  });
  tool(server, 'test_streaming_elicitation', 'asks the user', ctx =>
    ask(ctx, { name: field('name', 'Who?') }, () => say('answered')),
  );
  tool(server, 'test_missing_capability', 'cannot do without sampling', ctx =>
    ask(ctx, { answer: sample('Are you there?', 10) }, () => say('sampling is there')),
  );
}

const declared = ctx => ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};

// rounds are the tools that take several requests of the client's to answer one.
function rounds(server) {
  const on = (name, run) => tool(server, `test_input_required_result_${name}`, 'takes several rounds', run);
  const asksName = { user_name: field('name', 'What is your name?') };
  on('elicitation', ctx => {
    const name = acceptedContent(ctx.mcpReq.inputResponses, 'user_name')?.name;
    return typeof name === 'string' ? say(`Hello, ${name}!`) : inputRequired({ inputRequests: asksName });
  });
  on('sampling', ctx =>
    ask(ctx, { capital_question: sample('What is the capital of France?', 100) }, got => say(got.capital_question.content.text)),
  );
  on('list_roots', ctx =>
    ask(ctx, { client_roots: inputRequired.listRoots() }, got => say(got.client_roots.roots.map(root => root.uri).join(' '))),
  );
  on('capabilities', ctx => {
    const { sampling, elicitation } = declared(ctx);
    const requests = {
      ...(sampling && { greeting: sample('Generate a greeting', 50) }),
      ...(elicitation && asksName),
    };
    return ask(ctx, requests, () => say('done'));
  });

  // stateful asks step by step: a step's answer counts only with the state that its question came with.
  const stateful = (name, steps, done) =>
    on(name, async ctx => {
      const next = ctx.mcpReq.requestState()?.next ?? 0;
      const missing = next > 0 ? Object.keys(steps[next - 1]).filter(key => !ctx.mcpReq.inputResponses?.[key]) : [];
      const step = missing.length > 0 ? next - 1 : next;
      if (step === steps.length) return say(done);
      return inputRequired({ inputRequests: steps[step], requestState: await states.mint({ next: step + 1 }) });
    });
  const confirm = { confirm: field('ok', 'Please confirm', 'boolean') };
  stateful('request_state', [confirm], 'state-ok');
  stateful('tampered_state', [confirm], 'state-ok');
  stateful('multiple_inputs', [{ ...asksName, greeting: sample('Generate a greeting', 50), client_roots: inputRequired.listRoots() }], 'done');
  stateful('multi_round', [{ step1: field('name', 'Step 1: What is your name?') }, { step2: field('color', 'Step 2: What is your favorite color?') }], 'done');
}

function changes(server, notify) {
  tool(server, 'test_trigger_tool_change', 'says that the tools changed', () => {
    notify?.toolsChanged();
    return say('changed');
  });
  tool(server, 'test_trigger_prompt_change', 'says that the prompts changed', () => {
    notify?.promptsChanged();
    return say('changed');
  });
}

function schemas(server) {
  const address = { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } };
  const inputSchema = fromJsonSchema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address },
    properties: {
      name: { type: 'string' },
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' },
      email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  });
  server.registerTool('json_schema_2020_12_tool', { description: 'has a schema of many words', inputSchema }, () => say('ok'));
  const region = { type: 'string', description: 'where to', 'x-mcp-header': 'Region' };
  const headed = fromJsonSchema({ type: 'object', properties: { region, query: { type: 'string' } }, required: ['region'] });
  server.registerTool('test_header_parameter', { description: 'has a parameter that is a header too', inputSchema: headed }, ({ region }) => say(region));
}

function prompts(server) {
  const user = (...contents) => ({ messages: contents.map(content => ({ role: 'user', content })) });
  const prompt = (name, argsSchema, run) => server.registerPrompt(name, { description: `the prompt ${name}`, argsSchema }, run);
  const completed = completable(z.string(), value => ['paris', 'park', 'party'].filter(word => word.startsWith(value)));
  prompt('test_simple_prompt', undefined, () => user(text('This is a simple prompt for testing.')));
  prompt('test_prompt_with_arguments', z.object({ arg1: completed, arg2: z.string() }), ({ arg1, arg2 }) =>
    user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  prompt('test_prompt_with_embedded_resource', z.object({ resourceUri: z.string() }), ({ resourceUri }) =>
    user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'), text('Please process the embedded resource above.')),
  );
  prompt('test_prompt_with_image', undefined, () => user(image, text('Please analyze the image above.')));
  prompt('test_input_required_result_prompt', undefined, ctx =>
    ask(ctx, { user_context: field('context', 'What context should the prompt use?') }, got => user(text(got.user_context.content?.context ?? ''))),
  );
}

function resources(server) {
  const plain = (name, uri, mimeType, content) =>
    server.registerResource(name, uri, { description: `the resource ${name}`, mimeType }, () => ({ contents: [{ uri, mimeType, ...content }] }));
  plain('static-text', 'test://static-text', 'text/plain', { text: 'This is the content of the static text resource.' });
  plain('static-binary', 'test://static-binary', 'image/png', { blob: png });
  plain('watched', 'test://watched-resource', 'text/plain', { text: 'watched' });
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  const mimeType = 'application/json';
  server.registerResource('template', template, { description: 'the resource of an id', mimeType }, (uri, { id }) => {
    if (!id) throw new ProtocolError(invalidParams, 'an id is needed');
    const value = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri: uri.href, mimeType, text: value }] };
  });
}
