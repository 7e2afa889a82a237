import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anyValue, createStateManager, defineGlobal, defineHandle, defineTool, type GlobalDefinition, handle, method, ScriptRuntime } from '../../src/index.ts';
import type { RunHandle } from '../../src/runtime/options.ts';
import { testRuntime } from '../support/runtime.ts';

const config = { data: { backend: 'memory' } } as const;
const create = (options: object) => ScriptRuntime.create({ config, ...options });

describe('a run', () => {
  let test: Awaited<ReturnType<typeof testRuntime>>;
  beforeAll(async () => {
    test = await testRuntime(config);
  });
  afterAll(() => test[Symbol.asyncDispose]());

  it.each<[message: string, options: object]>([
    ['unknown option "tenent"; did you mean "tenant"?', { tenent: 'a' }],
    ['language: expected "lua" or "javascript" or "js", got "ruby"', { language: 'ruby' }],
    ['path: expected an absolute path, got "main.lua"', { path: 'main.lua' }],
    ['args[0]: expected a string, got a number (1)', { args: [1] }],
    ['args: expected an array of strings, got "a"', { args: 'a' }],
    ['input.at[0]: expected data, got a Map', { input: { at: [new Map()] } }],
    [`input: expected an integer of at most 64 bits, got a number (${2n ** 70n})`, { input: 2n ** 70n }],
    ['input.text: a text with half a surrogate pair', { input: { text: '\ud800' } }],
    ['input: more than 100000 parts in one value', { input: new Array(100_000) }],
    ['args[1]: a text with half a surrogate pair', { args: ['a', '\ud800'] }],
    ['tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -, got "../a"', { tenant: '../a' }],
    ['grants: expected an object, got an empty array', { grants: [] }],
    ['grants: unknown option "raed"; did you mean "read"?', { grants: { raed: [] } }],
    ['grants: read: expected an array of which each is a folder, got "/"', { grants: { read: '/' } }],
    ['grants: read[0]: expected a folder, got ""', { grants: { read: [''] } }],
    ['grants: capabilities: expected an array or Set of state:admin, net,', { grants: { capabilities: new Set(['all']) } }],
    ['grants: net[1]: expected a host such as api.example.org', { grants: { net: ['a.org', 'https://example.org/'] } }],
    ['limits: unknown option "cpums"; did you mean "cpu_ms"?', { limits: { cpums: 1 } }],
    ['limits: cpu_ms: expected a number of at least 0, got a number (NaN)', { limits: { cpu_ms: Number.NaN } }],
    ['limits: memory_mb: expected a number of 1 to 2048, got a number (0)', { limits: { memory_mb: 0 } }],
    ['limits: memory_mb: expected a number of 1 to 2048, got a number (2049)', { limits: { memory_mb: 2_049 } }],
    ['seed: expected an integer, got a number (0.5)', { seed: 0.5 }],
  ])('refuses its options: %s', async (message, options) => {
    await expect(test.runtime.execute('return 1', options)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(`execute: ${message}`),
    });
  });

  it.each([null, 5, 'js', []])('refuses options that are no object: %j', async (options) => {
    await expect(test.runtime.execute('return 1', options as object)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/^execute: expected an object, got /),
    });
  });

  it('has the defaults where grants and limits are given as undefined', async () => {
    const options = { language: 'js', grants: { read: undefined, capabilities: undefined }, limits: { memory_mb: undefined, cpu_ms: undefined } } as object;
    expect((await test.runtime.execute('let code; try { Tool.execute("file_read", {path: "/x"}) } catch (e) { code = e.code } code', options)).value).toBe(
      'NOT_ALLOWED',
    );
    await expect(test.runtime.execute('for (;;);', { ...options, limits: { cpu_ms: undefined, timeout_ms: 50 } } as object)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });

  it('is JavaScript as js, and has room for a small script in the least memory', async () => {
    for (const [language, text] of [
      ['js', '[1, 2].map(n => n * 2)'],
      ['lua', 'return {2, 4}'],
    ] as const)
      expect((await test.runtime.execute(text, { language, limits: { memory_mb: 1 } })).value).toEqual([2, 4]);
  });

  it('takes events that are some', async () => {
    const refused: Promise<unknown>[] = [];
    const on_start = (run: RunHandle) => {
      for (const [type, payload] of [[5], ['a', () => 1], ['a', { at: new Date(0) }], ['a', 2n ** 64n]] as unknown as [string, null][])
        refused.push(run.emit(type, payload).catch((error: Error) => error.message));
    };
    await test.runtime.execute('return 1', { on_start });
    expect(await Promise.all(refused)).toEqual([
      'emit: event type: expected a string, got a number (5)',
      'emit: payload: expected data that can be stored, got a function',
      'emit: payload.at: expected data that can be stored, got a Date',
      `emit: payload: expected an integer of at most 64 bits, got ${2n ** 64n}`,
    ]);
  });

  it('takes no signal as a session, and texts only', async () => {
    expect(() => test.runtime.openSession({ signal: AbortSignal.abort() } as object)).toThrow('openSession: unknown option "signal"');
    await using session = test.runtime.openSession();
    await expect(session.evaluate(5 as unknown as string)).rejects.toThrow('evaluate: text: expected a string, got a number (5)');
  });
});

describe('the runtime', () => {
  const tool = defineTool({ name: 'own', description: 'Mine', category: 'test', input: z.strictObject({}), output: anyValue, execute: () => 1 });
  const call = () => undefined;

  it.each<[message: string, options: unknown]>([
    ['expected an object, got null', null],
    ['unknown option "confg"; did you mean "config"?', { confg: {} }],
    ['config: expected an object, got an empty array', { config: [] }],
    ['dataDir: expected a path, got ""', { dataDir: '' }],
    ['tools: expected an array', { tools: {} }],
    ['tools[1]: expected what defineTool gives, got a map', { tools: [tool, { name: 'raw', execute: call }] }],
    ['models: a/b: expected a model with a method generate, or an array or a function of scripted answers, got an empty map', { models: { 'a/b': {} } }],
    ['models: a/b: expected a model with a method generate, or an array or a function of scripted answers, got null', { models: { 'a/b': null } }],
    ['embeddings: a/b: expected a model with a method embed, got a number (5)', { embeddings: { 'a/b': 5 } }],
    ['models: the name of one: expected provider/model such as own/writer, got "x"', { models: { x: [] } }],
    ['embeddings: the name of one: expected provider/model such as own/writer, got "x"', { embeddings: { x: {} } }],
    ['tools: there is a tool uuid already', { tools: [tool, { ...tool, name: 'uuid' }] }],
    ['hooks[0]: expected an object, got null', { hooks: [null] }],
    ['hooks[1]: call: expected a function, got nothing', { hooks: [{ point: 'tool:*:error', call }, { point: 'tool:*:error' }] }],
    [
      'hooks[1]: no hook point matches "nope:x"',
      {
        hooks: [
          { point: 'tool:*:error', call },
          { point: 'nope:x', call },
        ],
      },
    ],
    ['hooks[0]: options: priority: expected "highest" or "high"', { hooks: [{ point: 'tool:*:error', call, options: { priority: 'first' } }] }],
    ['globals: there is a global State already', { globals: [defineGlobal({ name: 'State', doc: 'Mine.', methods: {} })] }],
    [
      'globals: there is a global Own already',
      { globals: [defineGlobal({ name: 'Own', doc: '', methods: {} }), defineGlobal({ name: 'Own', doc: '', methods: {} })] },
    ],
  ])('refuses its options: %s', async (message, options) => {
    await expect(ScriptRuntime.create(options as object)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(`ScriptRuntime.create: ${message}`),
    });
  });

  it('refuses what is no hook, listener or period', async () => {
    await using runtime = await create({});
    const any = runtime as unknown as { on(...given: unknown[]): void; hook(...given: unknown[]): void; costs(...given: unknown[]): Promise<unknown> };
    expect(() => any.hook('tool:*:error')).toThrow('hook: call: expected a function, got nothing');
    expect(() => any.hook(5, call)).toThrow('hook: pattern: expected a string, got number');
    expect(() => any.hook('nope:x', call)).toThrow('hook: no hook point matches "nope:x"');
    expect(() => any.hook('tool:*:error', call, { priority: 'first' })).toThrow('hook: options: priority: expected "highest" or "high" or');
    expect(() => any.hook('tool:*:error', call, { timeout: 5 })).toThrow('unknown option "timeout"; did you mean "timeout_ms"?');
    expect(() => any.on('a.*')).toThrow('listener: expected a function, got nothing');
    await expect(any.costs('default', 'year')).rejects.toThrow('costs: period: expected "day" or "month" or "all", got "year"');
  });

  it('refuses settings in one sentence that names key, what was wanted and what was found', async () => {
    const cases: [object, string][] = [
      [{ limits: 5 }, 'limits: expected a table, got 5'],
      [{ limits: { cpu: 5 } }, 'unknown setting limits.cpu; did you mean cpu_ms?'],
      [{ limits: { cpu_ms: 1.5 } }, 'limits.cpu_ms: expected an integer, got 1.5'],
      [{ limits: { cpu_ms: 0 } }, 'limits.cpu_ms: expected a number above 0, got 0'],
      [{ limits: { memory_mb: 0.5 } }, 'limits.memory_mb: expected a number of at least 1, got 0.5'],
      [{ limits: { memory_mb: 99_999 } }, 'limits.memory_mb: expected a number of at most 2048, got 99999'],
      [{ data: { backend: 'redis' } }, 'data.backend: expected "sqlite" or "memory", got "redis"'],
      [{ models: { override: 'gpt-4' } }, 'models.override: expected provider/model such as openai/gpt-4 or local/extractive, got "gpt-4"'],
      [{ data: { dir: '' } }, 'data.dir: expected a text that is not empty, got ""'],
      [{ models: { providers: { x: {} } } }, 'models.providers.x.kind: expected "openai" or "anthropic" or "google" or "openai-compatible", got nothing'],
      [
        { models: { providers: { x: { kind: 'openai', base_url: 'x' } } } },
        'models.providers.x.base_url: expected an address such as https://api.example.org, got "x"',
      ],
      [
        { permissions: { net: ['http://x.org'] } },
        'permissions.net.0: expected a host such as api.example.org, *.example.org or [::1], also with :PORT, or *, got "http://x.org"',
      ],
      [{ mcp: { servers: { 'A b': { command: 'x' } } } }, 'mcp.servers.A b: expected a name in snake_case of up to 32 letters'],
    ];
    for (const [wrong, message] of cases)
      await expect(ScriptRuntime.create({ config: wrong })).rejects.toMatchObject({ code: 'BAD_CONFIG', message: `configuration: ${message}` });
  });
});

describe('a model that stands in for others', () => {
  const names = { override: 'foo/bar', embedding_override: 'foo/baz' };

  it('is refused where nobody has it', async () => {
    await expect(ScriptRuntime.create({ config: { models: { override: 'foo/bar' } } })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(/^models\.override: unknown provider in "foo\/bar"; known are /),
    });
    await expect(ScriptRuntime.create({ config: { models: names }, models: { 'foo/bar': ['yes'] } })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(/^models\.embedding_override: unknown provider in "foo\/baz"; known are /),
    });
  });

  it.each([
    ['lua', 'return Agent.create({model = "a/b"}):execute("x").output'],
    ['js', 'Agent.create({model: "a/b"}).execute("x").output'],
  ] as const)('may be one of the host: %s', async (language, source) => {
    const embedding = { name: 'foo/baz', dimensions: 1, batch: 1, embed: async (texts: readonly string[]) => texts.map(() => new Float32Array([1])) };
    await using runtime = await create({ config: { models: names }, models: { 'foo/bar': ['yes'] }, embeddings: { 'foo/baz': embedding } });
    expect((await runtime.execute(source, { language, grants: { models: ['foo/*'] } })).value).toBe('yes');
  });
});

describe('a definition', () => {
  const tool = { name: 'own', description: 'Mine', input: z.strictObject({}), output: anyValue, execute: () => 1 };
  const own = { doc: 'Mine.', params: {}, result: anyValue, effect: 'pure', handler: () => 1 } as const;

  it.each<[message: string, changes: object]>([
    ['output: expected a schema of zod 4, got nothing', { output: undefined }],
    ['input: expected a schema of zod 4 that takes an object, got a map', { input: { town: z.string() } }],
    ['input: expected a schema of zod 4 that takes an object, got a ZodString', { input: z.string() }],
    ['input: expected a schema of zod 4 that takes an object, got a ZodUnion', { input: z.union([z.string(), z.int()]) }],
    ['input: expected a schema of zod 4 that takes an object, got a ZodPipe', { input: z.array(z.string()).transform((texts) => ({ texts })) }],
    ['execute: expected a function, got nothing', { execute: undefined }],
    ['timeout_ms: expected a number of 1 to 2147483647, got a number (-1)', { timeout_ms: -1 }],
    ['effect: expected "pure" or "external", got "read"', { effect: 'read' }],
    ['unknown option "handler"; known are name, description', { handler: () => 1 }],
  ])('of a tool is refused: %s', (message, changes) => {
    expect(() => defineTool({ ...tool, ...changes } as unknown as typeof tool)).toThrow(`defineTool: tool own: ${message}`);
  });

  it('of a tool is refused when its name is none, as what brings it past defineTool is', async () => {
    const said = 'name: expected snake_case (a-z, 0-9, _; up to 64), got "Bad name"';
    expect(() => defineTool({ ...tool, name: 'Bad name' })).toThrow(`defineTool: tool Bad name: ${said}`);
    await expect(create({ tools: [{ ...defineTool(tool), name: 'Bad name' }] })).rejects.toThrow(said);
  });

  it('of a tool needs no category', () => expect([defineTool(tool).category, defineTool({ ...tool, category: 'web' }).category]).toEqual(['host', 'web']));

  it.each([z.record(z.string(), z.int()), z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), z.any(), z.object({ a: z.int() }).default({ a: 1 })])(
    'of a tool may take any kind of object: %#',
    (input) => expect(defineTool({ ...tool, input }).name).toBe('own'),
  );

  it('of a global is refused when its name is not capitalised, unless it is a function', () => {
    const global = { name: 'weather', doc: 'Mine.', methods: {} };
    expect(() => defineGlobal(global)).toThrow('defineGlobal: global weather: name: expected a capitalised name of letters, digits and _, got "weather"');
    expect(defineGlobal({ ...global, callable: own }).name).toBe('weather');
  });

  it.each<[message: string, changes: object]>([
    ['methods: expected an object of methods by name, got nothing', { methods: undefined }],
    ['method f: params: expected an object of zod schemas by name, got nothing', { methods: { f: { ...own, params: undefined } } }],
    ['method f: params: expected an object of zod schemas by name, got a map', { methods: { f: { ...own, params: { town: 'text' } } } }],
    ['method f: result: expected a schema of zod 4, got nothing', { methods: { f: { ...own, result: undefined } } }],
    ['method f: handler: expected a function, got nothing', { methods: { f: { ...own, handler: undefined } } }],
    ['method f: unknown option "run"', { methods: { f: { ...own, run: own.handler } } }],
    ['method f: expected an object, got null', { methods: { f: null } }],
    ['method "a b": expected a name of letters, digits and _', { methods: { 'a b': own } }],
    ['handle: type: expected a type with a name, got nothing', { handles: [{}] }],
    ['handle Thing: methods: expected an object of methods by name, got nothing', { handles: [{ type: { name: 'Thing' }, doc: 'A thing.' }] }],
  ])('of a global is refused: %s', async (message, changes) => {
    const global = { name: 'Own', doc: 'Mine.', methods: { f: own }, ...changes } as unknown as GlobalDefinition;
    expect(() => defineGlobal(global)).toThrow(`defineGlobal: global Own: ${message}`);
    await expect(create({ globals: [global] })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(`ScriptRuntime.create: global Own: ${message}`),
    });
  });
});

describe.each(['lua', 'javascript'] as const)('what code of the host answers in %s', (language) => {
  class Secret {
    key = 'k';
  }
  const itself: unknown[] = [];
  itself.push(itself);
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  const detached = () => {
    const data = new Uint8Array(8);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    return data;
  };
  const thrower = (trap: 'get' | 'ownKeys' | 'getPrototypeOf') => new Proxy({ k: 1 }, { [trap]: () => JSON.parse('{') });
  const late = () => Promise.reject(new Error('nobody waits for it'));
  const answers: readonly [name: string, value: () => unknown, said: string][] = [
    ['fn', () => ({ f: () => 1 }), 'cannot go to a script: result.f: expected data, got a function'],
    ['instance', () => [new Secret()], 'cannot go to a script: result[0]: expected data, got a Secret'],
    ['date', () => new Date(0), 'cannot go to a script: result: expected data, got a Date'],
    ['cycle', () => itself, 'cannot go to a script: result[0][0][0][0][0][0][0][0]…[0][0][0][0]: nested deeper than 64, or a value that contains itself'],
    ['deep', () => ({ a: deep(64) }), 'cannot go to a script: result.a[0][0][0][0][0][0][0]…[0][0][0][0]: nested deeper than 64'],
    ['big', () => -(2n ** 63n) - 1n, 'cannot go to a script: result: expected an integer of at most 64 bits'],
    ['symbol', () => ({ s: Symbol('s') }), 'cannot go to a script: result.s: expected data, got a symbol'],
    ['promise', () => ({ p: late(), q: [late()] }), 'cannot go to a script: result.p: expected data, got a promise, which is to be awaited first'],
    [
      'getter',
      () => ({ x: Object.defineProperty({}, 'y', { enumerable: true, get: () => JSON.parse('{') }) }),
      'cannot go to a script: result.x.y: it cannot be read: ',
    ],
    ['proxy', () => [thrower('get')], 'cannot go to a script: result[0].k: it cannot be read: '],
    ['proxy_keys', () => [thrower('ownKeys')], 'cannot go to a script: result[0]: it cannot be read: '],
    ['proxy_kind', () => [thrower('getPrototypeOf')], 'cannot go to a script: result[0]: it cannot be read: '],
    ['bytes', () => ({ data: detached() }), 'cannot go to a script: result.data: expected bytes, got those of an ArrayBuffer that was detached'],
    ['many', () => new Array(2e9), 'cannot go to a script: result: more than 100000 parts in one value'],
    ['long', () => ['x'.repeat(9e6), 'x'.repeat(9e6)], 'cannot go to a script: result[1]: more than 16 MB in one value'],
    ['half', () => ({ text: 'a\ud800' }), 'cannot go to a script: result.text: a text with half a surrogate pair'],
    ['half_name', () => ({ 'a\ud800': 1 }), 'cannot go to a script: result["a\\ud800"]: a name with half a surrogate pair'],
  ];
  const never = (handler: () => unknown) => method({ doc: 'Answers.', params: {}, result: anyValue, effect: 'external', handler: handler as () => null });
  const own = defineGlobal({
    name: 'Own',
    doc: 'Answers.',
    methods: Object.fromEntries([
      ...answers.flatMap(([name, value]) => [
        [name, never(value)],
        [`${name}_later`, never(async () => value())],
      ]),
      [
        'typed_promise',
        method({
          doc: 'Answers.',
          params: {},
          result: z.object({ n: z.number() }),
          effect: 'pure',
          handler: () => ({ n: late() }) as unknown as { n: number },
        }),
      ],
      [
        'typed',
        method({ doc: 'Answers.', params: {}, result: z.object({ n: z.number() }), effect: 'pure', handler: () => ({ n: 'x' }) as unknown as { n: number } }),
      ],
      ['good', never(() => [1n, 2 ** 60, null, undefined, { a: new Uint8Array(1) }])],
    ]),
  });
  const tools = answers.map(([name, value]) =>
    defineTool({ name: `own_${name}`, description: 'Answers.', category: 'test', input: z.strictObject({}), output: anyValue, execute: value as () => null }),
  );
  const failed = async (runtime: ScriptRuntime, call: string) =>
    (
      await runtime.execute(
        language === 'lua'
          ? `local ok, e = pcall(function() return ${call} end) return {e.code, e.message}`
          : `let said; try { ${call} } catch (e) { said = [e.code, e.message] } said`,
        { language },
      )
    ).value;

  it.each([0, 1, 2, 3, 4])('is an error also when a getter throws only after %d reads, whatever it throws', async (reads) => {
    let left = reads;
    const y = () => {
      if (left-- > 0) return 1;
      throw new RangeError('no more');
    };
    const get = never(() => ({ x: Object.defineProperty({ more: [] }, 'y', { enumerable: true, get: y }) }));
    await using runtime = await create({ globals: [defineGlobal({ name: 'Own', doc: 'Answers.', methods: { get } })] });
    const said = await failed(runtime, 'Own.get()');
    if (left < 0) expect(said).toEqual(['INTERNAL', expect.stringMatching(/^Own\.get: .*result\.x\.y: it cannot be read: no more$/)]);
    else expect(said ?? {}).toEqual({});
  });

  it('is an error that names the method when it cannot cross, or does not fit, whether or not results are checked', async () => {
    await using runtime = await create({ globals: [own], tools });
    for (const [name, , said] of answers) {
      for (const form of [name, `${name}_later`])
        expect(await failed(runtime, `Own.${form}()`)).toEqual(['INTERNAL', expect.stringContaining(`Own.${form}: the answer ${said}`)]);
      expect(await failed(runtime, `Tool.execute("own_${name}", {})`)).toEqual(['TOOL_FAILED', expect.stringContaining(`own_${name}: the answer ${said}`)]);
    }
    expect(await failed(runtime, 'Own.typed()')).toEqual([
      'INTERNAL',
      'Own.typed: the answer does not fit its definition: result.n: expected a number, got a string',
    ]);
    expect(await failed(runtime, 'Own.typed_promise()')).toEqual([
      'INTERNAL',
      'Own.typed_promise: the answer does not fit its definition: result.n: expected a number, got a promise, which is to be awaited first',
    ]);
    expect((await runtime.execute('return #Own.good()')).value).toBe(5);
  });
});

describe.each(['lua', 'javascript'] as const)('what code of the host throws in %s', (language) => {
  it.each<[string, () => unknown, string]>([
    ['no object of a class', () => Object.create(null), 'what was thrown has no text'],
    ['a text of its own that throws', () => ({ toString: () => ({}) }), 'what was thrown has no text'],
    ['a proxy that throws', () => new Proxy({}, { getPrototypeOf: () => 1 as never }), 'what was thrown has no text'],
    ['a message that is no text', () => Object.assign(new Error('x'), { message: { a: 1 } }), 'what was thrown has no text'],
    ['a very long message', () => new Error('x'.repeat(1_000_000)), 'x'.repeat(10_000)],
    ['a symbol', () => Symbol('x'), 'Symbol(x)'],
  ])('is its failure: %s', async (_, make, text) => {
    const execute = async () => {
      throw make();
    };
    const handler = () => {
      throw make();
    };
    const odd = defineTool({ name: 'odd', description: 'Throws.', category: 'test', input: z.strictObject({}), output: anyValue, execute });
    const part = { doc: 'Throws.', params: {}, result: anyValue, effect: 'pure' } as const;
    const own = defineGlobal({ name: 'Own', doc: 'Throws.', methods: { now: method({ ...part, handler }), later: method({ ...part, handler: execute }) } });
    await using runtime = await create({ tools: [odd], globals: [own] });
    const run = (call: string) => runtime.execute(language === 'lua' ? `return ${call}` : call, { language });
    await expect(run('Tool.execute("odd", {})')).rejects.toMatchObject({ code: 'TOOL_FAILED', message: `odd: ${text}` });
    for (const name of ['Own.now', 'Own.later'])
      await expect(run(`${name}()`)).rejects.toMatchObject({ code: 'INTERNAL', message: `${name}: internal error: ${text}`, method: name });
  });
});

describe.each(['lua', 'javascript'] as const)('a handle of the host in %s', (language) => {
  it('is refused, with its name, when a field cannot cross', async () => {
    const type = { name: 'Wire', fields: ({ end }: { end: unknown }) => ({ end }) as { end: null } };
    const open = method({
      doc: 'Opens.',
      params: { bad: z.boolean() },
      result: handle(type),
      effect: 'external',
      handler: ({ bad }) => ({ end: bad ? new Date(0) : 'free' }),
    });
    await using runtime = await create({
      globals: [defineGlobal({ name: 'Wires', doc: 'Wires.', methods: { open }, handles: [defineHandle({ type, doc: 'A wire.', methods: {} })] })],
    });
    expect((await runtime.execute('return Wires.open(false)["end"]', { language })).value).toBe('free');
    await expect(runtime.execute('return Wires.open(true)["end"]', { language })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('Wire handle: a field cannot go to a script: end: expected data, got a Date'),
    });
  });
});

describe('a model of the host', () => {
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2, cached_tokens: 0 };
  const ask = async (model: unknown) => {
    await using runtime = await create({ models: { 'own/model': model } });
    const grants = { models: ['own/*'] };
    return (await runtime.execute('return Agent.execute({model = "own/model", prompt = "Who?"}).output', { grants })).value;
  };

  it('needs nothing but generate, and fails as a model does when it throws or its answer is none', async () => {
    expect(await ask({ generate: () => ({ message: { role: 'assistant', content: 'Ada' }, finish_reason: 'stop', usage }) })).toBe('Ada');
    const wrong: [unknown, string][] = [
      [{ generate: () => undefined }, 'own/model: the answer is none: message.content: expected a string, got nil'],
      [{ generate: () => ({ message: { content: new Date(0) } }) }, 'own/model: the answer is none: message.content: expected a string, got a Date'],
      [
        { generate: () => ({ message: { content: '' }, finish_reason: 'stop' }) },
        'own/model: the answer is none: usage.input_tokens: expected a number, got nil',
      ],
      [{ generate: () => Promise.reject(new Error('no line')) }, 'own/model: no line'],
      [() => null, 'own/model: expected a text or an object as a scripted answer, got nil'],
      [() => Promise.reject(new Error('no line')), 'own/model: no line'],
      [[{ error: new Error('no line') }], 'own/model: no line'],
    ];
    for (const [model, message] of wrong) await expect(ask(model)).rejects.toMatchObject({ code: 'MODEL_FAILED', message: expect.stringContaining(message) });
  });
});

describe('an embedding model of the host', () => {
  const ingest = async (embed: () => unknown, more: object = {}) => {
    await using runtime = await create({ embeddings: { 'own/model': { name: 'other', dimensions: 2, batch: 8, embed, ...more } } });
    const text = `return RAG.create({embedding_provider = "own/model"}):ingest_documents({{content = "One."}}).chunks_created`;
    return (await runtime.execute(text, { grants: { models: ['own/*'] } })).value;
  };

  it('fails as a model does when it throws or its answer is none', async () => {
    expect(await ingest(() => [[3, 4]])).toBe(1);
    expect(await ingest(async () => [Float64Array.of(1, 2, 3)], { dimensions: undefined })).toBe(1);
    const none = 'own/model: the answer cannot be used: ';
    const wrong: [unknown, string][] = [
      [undefined, `${none}expected an array of vectors, got nil`],
      ['vectors', `${none}expected an array of vectors, got a string`],
      [[], `${none}1 texts were sent and 0 vectors came back`],
      [[null], `${none}vector 1: expected an array of numbers, got nil`],
      [new Array(1), `${none}vector 1: expected an array of numbers, got nil`],
      [[['1', '2']], `${none}vector 1: expected an array of numbers, got an array`],
      [[[1n, 2n]], `${none}vector 1: expected an array of numbers, got an array`],
      [[[1, 2, 3]], `${none}vector 1 has 3 numbers and the model says 2`],
      [[[1, Number.NaN]], `${none}vector 1 is zero or holds what is no finite number`],
    ];
    for (const uncached of [undefined, true])
      for (const [answer, message] of wrong)
        await expect(ingest(() => answer, { uncached })).rejects.toMatchObject({ code: 'MODEL_FAILED', message: expect.stringContaining(message) });
    const failing = [
      () => Promise.reject(new Error('no line')),
      () => {
        throw new Error('no line');
      },
    ];
    for (const embed of failing)
      await expect(ingest(embed)).rejects.toMatchObject({ code: 'MODEL_FAILED', message: expect.stringContaining('own/model: no line') });
  });
});

describe('a state manager that was disposed of', () => {
  it('refuses everything in one sentence, to hosts and runs, and is disposed of again without harm', async () => {
    const state = createStateManager(config);
    await using runtime = await create({ state });
    await state.save('global', 'k', 1);
    await state[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose]();
    const said = { code: 'STORE_FAILED', message: 'the state is closed: its manager was disposed of' };
    for (const use of [
      () => state.save('global', 'k', 2),
      () => state.load('global', 'k'),
      () => state.list_keys('global'),
      () => state.list_scopes(),
      () => state.release('default'),
    ])
      await expect(use()).rejects.toMatchObject(said);
    await expect(runtime.execute('return State.load("global", "k")')).rejects.toMatchObject(said);
    await expect(create({ state })).rejects.toThrow('ScriptRuntime.create: state: expected one that is open, got one that was disposed of');
  });

  it('refuses names and options that are none while it is open', async () => {
    await using state = createStateManager(config);
    const any = state as unknown as Record<'save' | 'load' | 'list_keys' | 'list_scopes', (...given: unknown[]) => Promise<unknown>>;
    await expect(any.save()).rejects.toThrow('State.save: scope: expected "global" or kind:id');
    await expect(any.save('global', 5, 1)).rejects.toThrow('State.save: key: expected a string, got number');
    await expect(any.load('global')).rejects.toThrow('State.load: key: expected 1 to 1024 bytes of text');
    await expect(any.save('global', 'k', 1, { ttl_ms: -1 })).rejects.toThrow('State.save: options: ttl_ms: expected a number above 0');
    await expect(any.save('global', 'k', 1, { ttl_ms: 1e17 })).rejects.toThrow('ttl_ms: expected a number above 0 and of at most 3162240000000');
    await expect(any.save('global', '\ud83d', 1)).rejects.toThrow('State.save: key: expected a text, got half of a surrogate pair in it');
    await expect(any.save('global', 'k', new Map())).rejects.toThrow('State.save: value: expected data that can be stored, got a Map');
    await expect(any.load('global', 'k', { tenant: '../a' })).rejects.toThrow(
      'State.load: options: tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -, got "../a"',
    );
    await expect(any.list_scopes({ tenent: 'a' })).rejects.toThrow('State.list_scopes: options: unknown option "tenent"; did you mean "tenant"?');
    await expect(any.list_keys('global', { limit: 0 })).rejects.toThrow('State.list_keys: options: limit: expected an integer of at least 1');
  });
});
