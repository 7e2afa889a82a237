import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/config.ts';
import type { ScriptError } from '../../src/errors.ts';
import { testRuntime } from '../support/runtime.ts';

/** What the server answers next: a status with headers and a body, or pieces of a stream (a null cuts the connection). */
interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly pieces?: readonly (string | null)[];
  readonly silent?: true;
}

let port = 0;
let replies: Reply[] = [];
const requests: { path: string; headers: Record<string, unknown>; body: Record<string, unknown> }[] = [];

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => {
    text += piece;
  });
  request.on('end', () => {
    requests.push({ path: request.url ?? '', headers: request.headers, body: text === '' ? {} : JSON.parse(text) });
    reply(response, replies.length > 1 ? (replies.shift() as Reply) : (replies[0] as Reply));
  });
});

function reply(response: ServerResponse, { status = 200, headers = {}, body, pieces, silent }: Reply): void {
  if (silent) return;
  if (!pieces) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
    return;
  }
  response.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
  for (const piece of pieces) {
    if (piece === null) {
      setTimeout(() => response.destroy(), 20);
      return;
    }
    response.write(piece);
  }
  response.end();
}

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function run(model: string, given: Reply[], lua: string, extra: Partial<Record<string, string>> = {}) {
  replies = given;
  requests.length = 0;
  const url = `http://127.0.0.1:${port}/v1`;
  const provider = (kind: 'openai' | 'anthropic' | 'google' | 'openai-compatible', more: object = {}) => ({
    kind,
    base_url: url,
    api_key: 'sk-secret-12345678',
    ...more,
  });
  const config: ConfigInput = {
    log: { level: 'silent' },
    models: {
      providers: {
        openai: provider('openai', { api: extra.api ?? 'responses' }),
        anthropic: provider('anthropic'),
        google: provider('google'),
        ollama: { kind: 'openai-compatible', base_url: url },
      },
    },
  };
  await using test = await testRuntime(config);
  const text = `local agent = Agent.create({model = "${model}", retries = ${extra.retries ?? 0}, timeout_ms = 3000, tools = {"calculator"}}) ${lua}`;
  return (await test.runtime.execute(text, { language: 'lua', grants: { ...test.grants, models: ['*'] } })).value;
}

const failure = (work: Promise<unknown>): Promise<ScriptError> =>
  work.then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error) => error,
  );
const ASK = 'local r = agent:execute("6 times 7?") return {r.output, r.usage.input_tokens, r.usage.output_tokens, r.finish_reason, r.steps, #r.tool_calls}';
const STREAM = 'local pieces = {} local r = agent:stream("hi", function(text) pieces[#pieces + 1] = text end) return {r.output, #pieces}';
const event = (data: unknown, name?: string) =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** A question that makes the model call a tool and then answer, as each provider puts it on the wire. */
const WIRE: Record<string, { model: string; api?: string; ask: Reply[]; path: RegExp; told: (body: Record<string, unknown>) => unknown }> = {
  'OpenAI chat': {
    model: 'openai/gpt-4o',
    api: 'chat',
    ask: [
      {
        body: {
          id: '1',
          object: 'chat.completion',
          created: 1,
          model: 'gpt-4o',
          choices: [
            {
              index: 0,
              finish_reason: 'tool_calls',
              message: {
                role: 'assistant',
                content: null,
                tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'calculator', arguments: '{"expression":"6*7"}' } }],
              },
            },
          ],
          usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
        },
      },
      {
        body: {
          id: '2',
          object: 'chat.completion',
          created: 1,
          model: 'gpt-4o',
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'It is 42.' } }],
          usage: { prompt_tokens: 20, completion_tokens: 6, total_tokens: 26 },
        },
      },
    ],
    path: /\/v1\/chat\/completions$/,
    told: (body) => (body.messages as { role: string; content: string }[]).at(-1),
  },
  'OpenAI responses': {
    model: 'openai/gpt-5',
    ask: [
      {
        body: {
          id: 'r1',
          object: 'response',
          created_at: 1,
          status: 'completed',
          model: 'gpt-5',
          output: [{ type: 'function_call', id: 'f1', call_id: 'call_1', name: 'calculator', arguments: '{"expression":"6*7"}', status: 'completed' }],
          usage: { input_tokens: 10, output_tokens: 5, total_tokens: 15 },
        },
      },
      {
        body: {
          id: 'r2',
          object: 'response',
          created_at: 1,
          status: 'completed',
          model: 'gpt-5',
          output: [
            { type: 'message', id: 'm1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'It is 42.', annotations: [] }] },
          ],
          usage: { input_tokens: 20, output_tokens: 6, total_tokens: 26 },
        },
      },
    ],
    path: /\/v1\/responses$/,
    told: (body) => (body.input as unknown[]).at(-1),
  },
  Anthropic: {
    model: 'anthropic/claude-sonnet-4-5',
    ask: [
      {
        body: {
          id: 'm1',
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [{ type: 'tool_use', id: 'call_1', name: 'calculator', input: { expression: '6*7' } }],
          stop_reason: 'tool_use',
          stop_sequence: null,
          usage: { input_tokens: 10, output_tokens: 5 },
        },
      },
      {
        body: {
          id: 'm2',
          type: 'message',
          role: 'assistant',
          model: 'claude',
          content: [{ type: 'text', text: 'It is 42.' }],
          stop_reason: 'end_turn',
          stop_sequence: null,
          usage: { input_tokens: 20, output_tokens: 6 },
        },
      },
    ],
    path: /\/v1\/messages$/,
    told: (body) => (body.messages as { content: unknown[] }[]).at(-1)?.content[0],
  },
  Google: {
    model: 'google/gemini-2.5-flash',
    ask: [
      {
        body: {
          candidates: [
            { content: { role: 'model', parts: [{ functionCall: { name: 'calculator', args: { expression: '6*7' } } }] }, finishReason: 'STOP', index: 0 },
          ],
          usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
        },
      },
      {
        body: {
          candidates: [{ content: { role: 'model', parts: [{ text: 'It is 42.' }] }, finishReason: 'STOP', index: 0 }],
          usageMetadata: { promptTokenCount: 20, candidatesTokenCount: 6, totalTokenCount: 26 },
        },
      },
    ],
    path: /gemini-2\.5-flash:generateContent$/,
    told: (body) => body.contents,
  },
  Ollama: {
    model: 'ollama/llama3',
    ask: [
      {
        body: {
          id: '1',
          object: 'chat.completion',
          created: 1,
          model: 'llama3',
          choices: [
            {
              index: 0,
              finish_reason: 'tool_calls',
              message: {
                role: 'assistant',
                content: '',
                tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'calculator', arguments: '{"expression":"6*7"}' } }],
              },
            },
          ],
          usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
        },
      },
      {
        body: {
          id: '2',
          object: 'chat.completion',
          created: 1,
          model: 'llama3',
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'It is 42.' } }],
          usage: { prompt_tokens: 20, completion_tokens: 6, total_tokens: 26 },
        },
      },
    ],
    path: /\/v1\/chat\/completions$/,
    told: (body) => (body.messages as unknown[]).at(-1),
  },
};

describe.each(Object.entries(WIRE))('%s', (_, { model, api, ask, path, told }) => {
  const extra = api === undefined ? {} : { api };

  it('runs the tool that the model asks for and gives its result back', async () => {
    expect(await run(model, [...ask], ASK, extra)).toEqual(['It is 42.', 30, 11, 'stop', 2, 1]);
    expect(requests.map((request) => request.path)).toEqual([expect.stringMatching(path), expect.stringMatching(path)]);
    expect(JSON.stringify(told(requests[1]?.body ?? {}))).toContain('42');
  });

  it.each([
    [
      '401',
      { status: 401, body: { error: { message: 'Incorrect API key provided: sk-secret-12345678', type: 'invalid_request_error' } } },
      /: the provider refused the key \(HTTP 401\)/,
      { outcome: 'failed', retryable: false, status: 401 },
    ],
    [
      '429',
      { status: 429, headers: { 'retry-after': '0' }, body: { error: { message: 'slow down' } } },
      /: the provider limits the rate \(HTTP 429\)/,
      { outcome: 'failed', retryable: true, status: 429, retry_after_ms: 0 },
    ],
    ['500', { status: 500, body: 'oops' }, /: the provider has a failure \(HTTP 500\)/, { outcome: 'failed', retryable: true, status: 500 }],
    [
      '404',
      { status: 404, body: { error: { message: 'no such model' } } },
      /: the provider does not know this model \(HTTP 404\)/,
      { outcome: 'failed', retryable: false },
    ],
    ['rubbish', { body: '<html>gateway</html>' }, /: the provider's answer cannot be read/, { outcome: 'failed', retryable: true }],
    ['JSON of another shape', { body: { hello: 'world' } }, /: the provider.* (?:answer|failure)/, { outcome: 'failed' }],
  ])('answers %s with one clear sentence and no secret', async (_name, given, message, details) => {
    const error = await failure(run(model, [given as Reply], ASK, extra));
    expect(error).toMatchObject({ code: 'MODEL_FAILED', message: expect.stringMatching(message), details });
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain('secret');
    expect(error.message.startsWith(model)).toBe(true);
  });

  it('is tried again after the time that it asks for', async () => {
    const busy: Reply = { status: 429, headers: { 'retry-after-ms': '5' }, body: { error: { message: 'slow down' } } };
    expect(await run(model, [busy, busy, ask[1] as Reply], 'return agent:execute("hi").output', { ...extra, retries: '2' })).toBe('It is 42.');
    expect(requests.length).toBe(3);
  });
});

describe('streams', () => {
  const chunk = (delta: object, finish: string | null = null) =>
    event({ id: '1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });
  const usage = event({
    id: '1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
  const whole = [
    chunk({ role: 'assistant', content: 'Hel' }),
    chunk({ content: 'lo ' }),
    chunk({ content: 'there' }),
    chunk({}, 'stop'),
    usage,
    event('[DONE]'),
  ];
  const anthropic = [
    event(
      {
        type: 'message_start',
        message: {
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'c',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 3, output_tokens: 0 },
        },
      },
      'message_start',
    ),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }, 'content_block_start'),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } }, 'content_block_delta'),
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' there' } }, 'content_block_delta'),
    event({ type: 'content_block_stop', index: 0 }, 'content_block_stop'),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }, 'message_delta'),
    event({ type: 'message_stop' }, 'message_stop'),
  ];

  it.each([
    ['openai/gpt-4o', 'chat', whole, 3],
    ['ollama/llama3', 'chat', whole, 3],
    ['anthropic/claude-sonnet-4-5', 'responses', anthropic, 2],
  ])('of %s arrive piece by piece', async (model, api, pieces, count) => {
    expect(await run(model, [{ pieces }], STREAM, { api })).toEqual(['Hello there', count]);
  });

  it.each([
    ['openai/gpt-4o', 'chat', whole.slice(0, 2)],
    ['ollama/llama3', 'chat', whole.slice(0, 2)],
    ['anthropic/claude-sonnet-4-5', 'responses', anthropic.slice(0, 4)],
  ])('of %s that are cut in the middle are told', async (model, api, pieces) => {
    expect(await failure(run(model, [{ pieces: [...pieces, null] }], STREAM, { api }))).toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringContaining('the connection broke before the answer was complete'),
      details: { outcome: 'unknown', retryable: true },
    });
    expect(await failure(run(model, [{ pieces }], STREAM, { api }))).toMatchObject({ code: 'MODEL_FAILED', details: { retryable: true } });
  });
});

describe('streams that call tools', () => {
  const calculator = { name: 'calculator', arguments: '{"expression":"6*7"}' };
  const chat = (delta: object, finish: string | null = null) =>
    event({ id: '1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });
  const chatCall = [
    chat({ role: 'assistant', content: null, tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'calculator', arguments: '' } }] }),
    chat({ tool_calls: [{ index: 0, function: { arguments: '{"expre' } }] }),
    chat({ tool_calls: [{ index: 0, function: { arguments: 'ssion":"6*7"}' } }] }),
    chat({}, 'tool_calls'),
    event('[DONE]'),
  ];
  const chatText = [chat({ role: 'assistant', content: 'It is ' }), chat({ content: '42.' }), chat({}, 'stop'), event('[DONE]')];
  const start = { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], stop_reason: null, stop_sequence: null };
  const anthropic = (...blocks: object[]) => [
    event({ type: 'message_start', message: { ...start, usage: { input_tokens: 3, output_tokens: 0 } } }, 'message_start'),
    ...blocks.map((block) => event(block, (block as { type: string }).type)),
    event({ type: 'message_stop' }, 'message_stop'),
  ];
  const anthropicCall = anthropic(
    { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'call_1', name: 'calculator', input: {} } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"expression":' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '"6*7"}' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 2 } },
  );
  const anthropicText = anthropic(
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'It is ' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '42.' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } },
  );
  const google = (parts: object[], finishReason?: string) =>
    event({
      candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }],
      usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
    });
  const googleCall = [google([{ functionCall: { name: calculator.name, args: { expression: '6*7' } } }], 'STOP')];
  const googleText = [google([{ text: 'It is ' }]), google([{ text: '42.' }], 'STOP')];
  const answered = { id: 'r1', object: 'response', created_at: 1, model: 'gpt-5', status: 'in_progress', output: [] };
  const used = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
  const call = { type: 'function_call', id: 'f1', call_id: 'call_1', ...calculator, status: 'completed' };
  const responsesCall = [
    event({ type: 'response.created', response: answered }),
    event({ type: 'response.output_item.added', output_index: 0, item: { ...call, arguments: '', status: 'in_progress' } }),
    event({ type: 'response.function_call_arguments.delta', item_id: 'f1', output_index: 0, delta: calculator.arguments }),
    event({ type: 'response.function_call_arguments.done', item_id: 'f1', output_index: 0, arguments: calculator.arguments }),
    event({ type: 'response.output_item.done', output_index: 0, item: call }),
    event({ type: 'response.completed', response: { ...answered, status: 'completed', output: [call], usage: used } }),
  ];
  const message = { type: 'message', id: 'm1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'It is 42.', annotations: [] }] };
  const responsesText = [
    event({ type: 'response.created', response: answered }),
    event({ type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress', content: [] } }),
    event({ type: 'response.output_text.delta', item_id: 'm1', output_index: 0, content_index: 0, delta: 'It is ' }),
    event({ type: 'response.output_text.delta', item_id: 'm1', output_index: 0, content_index: 0, delta: '42.' }),
    event({ type: 'response.output_item.done', output_index: 0, item: message }),
    event({ type: 'response.completed', response: { ...answered, status: 'completed', output: [message], usage: used } }),
  ];
  const lua =
    'local pieces = {} local r = agent:stream("6 times 7?", function(text) pieces[#pieces + 1] = text end) return {r.output, pieces, r.steps, r.tool_calls[1].output.result}';

  it.each([
    ['OpenAI chat', 'openai/gpt-4o', 'chat', chatCall, chatText],
    ['OpenAI responses', 'openai/gpt-5', 'responses', responsesCall, responsesText],
    ['Anthropic', 'anthropic/claude-sonnet-4-5', 'responses', anthropicCall, anthropicText],
    ['Google', 'google/gemini-2.5-flash', 'responses', googleCall, googleText],
    ['Ollama', 'ollama/llama3', 'chat', chatCall, chatText],
  ])('go on with the answer: %s', async (_, model, api, first, second) => {
    expect(await run(model, [{ pieces: first }, { pieces: second }], lua, { api })).toEqual(['It is 42.', ['It is ', '42.'], 2, 42]);
    expect(JSON.stringify(requests[1]?.body)).toContain('\\"result\\": 42');
  });

  it('that end with an error of the provider are told', async () => {
    const overloaded = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error');
    const begun = anthropicText.slice(0, 3);
    expect(await failure(run('anthropic/claude-sonnet-4-5', [{ pieces: [...begun, overloaded] }], STREAM))).toMatchObject({ code: 'MODEL_FAILED' });
  });
});

describe('what a provider tells beside the answer', () => {
  const body = (extra: object, finish = 'stop') => ({
    id: '1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content: 'Half an ans' } }],
    usage: { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, ...extra },
  });
  const chat = { api: 'chat' };

  it('comes out: cached tokens, cost, and why it ended', async () => {
    const given = [{ body: body({ prompt_tokens_details: { cached_tokens: 40 } }, 'length') }];
    const lua = 'local r = agent:execute("x") return {r.usage.cached_tokens, r.finish_reason, r.cost_usd}';
    const [cached, reason, cost] = (await run('openai/gpt-4o', given, lua, chat)) as [number, string, number];
    expect([cached, reason]).toEqual([40, 'length']);
    expect(cost).toBeCloseTo((60 * 2.5 + 40 * 1.25 + 10 * 10) / 1e6, 12);
    expect(await run('openai/gpt-4o', [{ body: body({}, 'content_filter') }], 'return agent:execute("x").finish_reason', chat)).toBe('content_filter');
  });

  it('is that a date is meant by retry-after, too', async () => {
    const busy: Reply = { status: 429, headers: { 'retry-after': new Date(0).toUTCString() }, body: { error: { message: 'slow down' } } };
    expect(await run('openai/gpt-4o', [busy, { body: body({}) }], 'return agent:execute("x").output', { ...chat, retries: '1' })).toBe('Half an ans');
  });
});

describe('providers', () => {
  it('that do not answer are cut by the time limit', async () => {
    expect(await failure(run('openai/gpt-4o', [{ silent: true }], 'agent:set_config({timeout_ms = 50}) agent:execute("hi")'))).toMatchObject({
      code: 'TIMEOUT',
    });
  });

  it('that cannot be reached are told', async () => {
    await using test = await testRuntime({ models: { providers: { gone: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } } } });
    const error = await failure(
      test.runtime.execute('Agent.execute({model = "gone/x", prompt = "hi", retries = 0})', { language: 'lua', grants: { models: ['*'] } }),
    );
    expect(error).toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringMatching(/^gone\/x: the provider cannot be reached/),
      details: { outcome: 'not_sent', retryable: true },
    });
  });

  it('are told the schema of structured output', async () => {
    const body = {
      id: '2',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{"n": 7}' } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    };
    const lua = 'return agent:execute({prompt = "x", output_schema = {type = "object", properties = {n = {type = "integer"}}, required = {"n"}}}).output.n';
    expect(await run('openai/gpt-4o', [{ body }], lua, { api: 'chat' })).toBe(7);
    expect(JSON.stringify(requests[0]?.body)).toContain('"json_schema"');
    expect(await run('ollama/llama3', [{ body }], lua)).toBe(7);
    expect(JSON.stringify(requests[0]?.body)).toContain('matching this JSON Schema');
  });
});
