import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InteractiveRun, ScriptError } from '../../src/index.ts';
import { testRuntime } from '../support/runtime.ts';

const LANGUAGES = ['lua', 'javascript'] as const;

describe.each(LANGUAGES)('a session in %s', (language) => {
  const text = (lua: string, js: string) => (language === 'lua' ? lua : js);
  const failure = (session: InteractiveRun, chunk: string): Promise<ScriptError> =>
    session.evaluate(chunk).then(
      (shown) => expect.fail(`it gave ${shown}`),
      (error: ScriptError) => error,
    );

  it('keeps what its chunks define, and gives what they come to as text', async () => {
    await using test = await testRuntime();
    const output: string[] = [];
    await using session = test.runtime.openSession({ language, input: { a: 1 }, args: ['x'], on_output: (line) => output.push(line) });
    const chunks: [string, string, string | undefined][] = [
      ['x = 20', 'let x = 20', undefined],
      ['function f(n) return n + 1 end', 'function f(n) { return n + 1 }', undefined],
      ['f(x) * 2', 'f(x) * 2', '42'],
      ['INPUT.a, ARGS[1]', '[INPUT.a, ARGS[0]]', text('1\t"x"', '[1, "x"]')],
      ['{1, {b = "two"}}', '[1, {b: "two"}]', text('{1, {b = "two"}}', '[1, { b: "two" }]')],
      ['"a\\nb"', '"a\\nb"', '"a\\nb"'],
      ['print("seen")', 'print("seen")', undefined],
      ['return x', 'return x', '20'],
      ['-- nothing', '// nothing', undefined],
      ['Tool.execute("calculator", {expression = "6 * 7"}).result', 'Tool.execute("calculator", {expression: "6 * 7"}).result', '42'],
    ];
    for (const [lua, js, shown] of chunks) expect(await session.evaluate(text(lua, js))).toBe(shown);
    expect(output).toEqual(['seen']);
  });

  it('gives back what belongs to its language', async () => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language });
    const chunks: [string, string | undefined][] =
      language === 'lua'
        ? [
            ['local gone = 1', undefined],
            ['gone', 'nil'],
            ['"\\255a"', '"\\xffa"'],
            ['1, nil, "z"', '1\tnil\t"z"'],
            ['coroutine.wrap(function() coroutine.yield(5) end)()', '5'],
          ]
        : [
            ['const kept = 1; class A {}', undefined],
            ['kept', '1'],
            ['new A()', 'A {}'],
            ['{a: 1}', '{ a: 1 }'],
            ['await Promise.resolve(7)', '7'],
            ['new Uint8Array([1, 2])', 'Uint8Array(2) [1, 2]'],
            ['undefined', undefined],
          ];
    for (const [chunk, shown] of chunks) expect(await session.evaluate(chunk)).toBe(shown);
  });

  it('goes on after errors, which carry their place and traceback', async () => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language });
    await session.evaluate(text('x = 1 function f() error("bad") end', 'let x = 1; function f() { throw new Error("bad") }'));
    const error = await failure(session, text('f() f()', 'f()'));
    expect(error).toMatchObject({ code: 'SCRIPT_ERROR', message: 'bad', where: { file: 'repl[1]', line: 1 } });
    expect(error.traceback).toContain('repl[2]:1');
    expect(error.traceback).not.toContain('llmspell');
    expect(await failure(session, text('x = )', 'x = )'))).toMatchObject({ code: 'SYNTAX_ERROR', details: undefined });
    expect(await session.evaluate('x')).toBe('1');
  });

  const open: readonly string[] =
    language === 'lua'
      ? ['1 +', 'if x then', 'x =', 'f(', '[[abc', '--[[ abc', 'for i = 1', 'local', '{1,', 'repeat', '"abc\\']
      : [
          '1 +',
          'if (x) {',
          'x =',
          'f(',
          '`abc',
          '`a${',
          '`a${b}c',
          '/* abc',
          'for (',
          'let',
          'let {a,',
          '[1,',
          '{a: 1,',
          'x => {',
          'class A {',
          'try {}',
          'obj.',
          'async function g() { await',
          'if (x) y(); else',
        ];
  it.each(open.filter((chunk) => chunk !== 'let'))('says that only the end is missing: %s', async (chunk) => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language });
    expect(await failure(session, chunk)).toMatchObject({ code: 'SYNTAX_ERROR', details: { incomplete: true } });
  });

  const wrong: readonly string[] = language === 'lua' ? ['x = )', '"abc', 'end', '1 2', 'local 1'] : ['x = )', '"abc', '}', '1 2', 'let 1', 'foo(}', 'else'];
  it.each(wrong)('and when more would not help: %s', async (chunk) => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language });
    const error = await failure(session, chunk);
    expect(error.code).toBe('SYNTAX_ERROR');
    expect(error.details).toBeUndefined();
  });

  it('stops what computes too long, each chunk for itself, and stays', async () => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language, limits: { cpu_ms: 150 } });
    await session.evaluate(text('x = 1', 'let x = 1'));
    const endless = [
      text('while true do end', 'for (;;);'),
      text('while true do pcall(function() while true do end end) end', 'for (;;) { try { for (;;); } catch {} }'),
      text(
        'Tool.register({name = "endless", description = "x", handler = function() while true do end end}) Tool.execute("endless")',
        'Tool.register({name: "endless", description: "x", handler: () => { for (;;); }}); Tool.execute("endless")',
      ),
      text(
        'Workflow.loop({name = "w", iterator = {range = {start = 1, stop = 1000000}}, max_iterations = 1000000, body = {name = "t", when = false, tool = "uuid"}}):execute()',
        'Workflow.loop({name: "w", iterator: {range: {start: 1, stop: 1000000}}, max_iterations: 1000000, body: {name: "t", when: false, tool: "uuid"}}).execute()',
      ),
    ];
    for (const chunk of endless)
      expect(await failure(session, chunk)).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'computed longer than limits.cpu_ms = 150 ms' });
    expect(session.ended).toBe(false);
    expect(await session.evaluate('x')).toBe('1');
  });

  it('says each time what is wrong with a script file that it loads', async () => {
    await using test = await testRuntime();
    const [folder] = test.grants.read;
    writeFileSync(join(folder as string, text('bad.lua', 'bad.js')), 'f(');
    writeFileSync(join(folder as string, text('good.lua', 'good.js')), text('return 5', 'export default 5'));
    await using session = test.runtime.openSession({ language, grants: test.grants });
    const loads = [text('require("bad")', 'import "./bad.js"'), text('require("bad")', 'import good from "./good.js"; import "./bad.js"')];
    for (const chunk of [...loads, ...loads])
      expect(await failure(session, chunk)).toMatchObject({ code: 'SYNTAX_ERROR', details: undefined, where: { file: text('bad.lua', 'bad.js'), line: 1 } });
    expect(await session.evaluate(text('require("good")', '(await import("./good.js")).default'))).toBe('5');
  });

  it('names the time that was limited where that is the limit of computing too', async () => {
    await using test = await testRuntime();
    const limits = { cpu_ms: 150, timeout_ms: 150 };
    const [endless, message] = [text('while true do end', 'for (;;);'), 'took longer than limits.timeout_ms = 150 ms'];
    await using session = test.runtime.openSession({ language, limits });
    for (let i = 0; i < 3; i++) expect(await failure(session, endless)).toMatchObject({ code: 'LIMIT_EXCEEDED', message });
    await expect(test.runtime.execute(endless, { language, limits })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: `the run ${message}` });
  });

  it.each([
    ['computes', 'while true do end', 'for (;;);'],
    ['waits', 'sleep(60000)', 'sleep(60000)'],
    ['catches everything', 'while true do pcall(function() while true do sleep(1) end end) end', 'for (;;) { try { for (;;) sleep(1) } catch {} }'],
    ['computes elsewhere', 'parallel({1, 2}, function() while true do end end)', 'parallel([1, 2], () => { for (;;); })'],
  ])('is interrupted while it %s, and stays', async (_, lua, js) => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language, limits: { cpu_ms: 60_000 }, on_output: () => session.interrupt() });
    await session.evaluate(text('x = 1', 'let x = 1'));
    expect(await failure(session, text(`x = 2 print("go") ${lua}`, `x = 2; print("go"); ${js}`))).toMatchObject({ code: 'CANCELLED', message: 'interrupted' });
    expect(session.ended).toBe(false);
    expect(await session.evaluate('x')).toBe('2');
  });

  it('takes no calls from a chunk that catches its interruption, and from the next one again', async () => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language, on_output: () => setImmediate(() => session.interrupt()) });
    const save = 'State.save("global", "after", 1)';
    const chunk = text(`print("go") pcall(sleep, 60000) pcall(function() ${save} end)`, `print("go"); try { sleep(60000) } catch {} try { ${save} } catch {}`);
    expect(await failure(session, chunk)).toMatchObject({ code: 'CANCELLED', message: 'interrupted' });
    expect(await session.evaluate('State.exists("global", "after")')).toBe('false');
  });

  it('bounds the wait of each chunk by timeout_ms', async () => {
    await using test = await testRuntime();
    await using session = test.runtime.openSession({ language, limits: { timeout_ms: 40 } });
    expect(await failure(session, 'sleep(60000)')).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'took longer than limits.timeout_ms = 40 ms' });
    expect(await session.evaluate('1')).toBe('1');
  });

  it('goes on with its handlers between chunks', async () => {
    await using test = await testRuntime();
    const { promise, resolve } = Promise.withResolvers<string>();
    await using session = test.runtime.openSession({ language, on_output: resolve });
    await session.evaluate(
      text(
        'Event.subscribe("a", function(e) sleep(5) print("heard " .. e.payload) end)',
        'Event.subscribe("a", e => { sleep(5); print("heard " + e.payload) })',
      ),
    );
    await session.evaluate('Event.emit("a", 1)');
    expect(await promise).toBe('heard 1');
  });

  it('runs one chunk at a time, and none when it is over', async () => {
    await using test = await testRuntime();
    const session = test.runtime.openSession({ language });
    const first = session.evaluate('sleep(5)');
    await expect(session.evaluate('1')).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: 'evaluate: a chunk of this session is still running' });
    await first;
    await session[Symbol.asyncDispose]();
    await expect(session.evaluate('1')).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
