import { describe, expect, it } from 'vitest';
import type { Value } from '../../../src/call/value.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';

const engine = createJavaScriptEngine();
const host = testHost();
const run = (text: string): Promise<Value> => runText(engine, testRun({ host, language: 'javascript' }).run, text);

describe('values out of JavaScript', () => {
  it.each<[string, unknown]>([
    ['null', null],
    ['undefined', null],
    ['true', true],
    ['7', 7],
    ['0.5', 0.5],
    ['-0', -0],
    ['NaN', Number.NaN],
    ['1/0', Number.POSITIVE_INFINITY],
    ['2n ** 62n', 2n ** 62n],
    ['-(2n ** 63n)', -(2n ** 63n)],
    ['"ä€😀"', 'ä€😀'],
    ['"a\\0b"', 'a\0b'],
    ['new Uint8Array([255, 0])', new Uint8Array([255, 0])],
    ['new Uint8Array([1, 2, 3, 4]).subarray(1, 3)', new Uint8Array([2, 3])],
    ['({})', {}],
    ['[]', []],
    ['[1, "x", [true]]', [1, 'x', [true]]],
    ['({ b: 1, a: { c: 2 } })', { b: 1, a: { c: 2 } }],
    ['({ a: undefined, b: null })', { b: null }],
    ['[1, undefined, , 4]', [1, null, null, 4]],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['Object.assign(new TypeError("no", { cause: 1 }), { code: 5 })', { name: 'TypeError', message: 'no', cause: 1, code: 5 }],
    ['JSON.parse(\'{"__proto__": 1}\')', JSON.parse('{"__proto__":1}')],
    ['Object.create(null, { a: { value: 1, enumerable: true }, hidden: { value: 2 } })', { a: 1 }],
    ['"x".repeat(5000) + "y"', `${'x'.repeat(5000)}y`],
  ])('%s', async (text, expected) => {
    expect(await run(`Try.echo(${text})`)).toEqual(expected);
  });

  it('keeps the order of keys', async () => {
    expect(Object.keys((await run('Try.echo({ z: 1, a: 2, m: 3 })')) as object)).toEqual(['z', 'a', 'm']);
  });

  it.each([
    ['an object that contains itself', 'const o = {}; o.self = o; Try.echo(o)', 'Try.echo: value.self: an object that contains itself'],
    ['depth', 'let o = 1; for (let i = 0; i < 70; i++) o = [o]; Try.echo(o)', /^Try\.echo: value.*: nested deeper than 64$/],
    [
      'a Map',
      'Try.echo({ a: new Map() })',
      'Try.echo: value.a: a Map cannot leave the script: only plain objects, arrays, Uint8Array, Date, Error, handles and functions can',
    ],
    ['a class instance', 'Try.echo({ a: [new (class Foo {})()] })', /^Try\.echo: value\.a\[0\]: /],
    ['a symbol', 'Try.echo(Symbol("x"))', /^Try\.echo: value: /],
    ['an accessor', 'Try.echo({ get x() { return 1 } })', /^Try\.echo: value\.x: /],
    ['a proxy', 'Try.echo(new Proxy({}, {}))', /^Try\.echo: value: /],
    ['an integer beyond 64 bits', 'Try.echo(2n ** 64n)', /^Try\.echo: value: /],
    ['a lone surrogate', 'Try.echo("\\ud800")', /^Try\.echo: value: /],
    ['too many', 'Try.echo(new Array(100001).fill(0))', /^Try\.echo: value: more than 100000 parts in one value$/],
    ['too long', 'const s = "x".repeat(9e6); Try.echo([s, s])', /^Try\.echo: value.*: more than 16 MB/],
  ])('refuses %s', async (_, text, message) => {
    await expect(run(text)).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      where: { file: 'test.js', line: 1 },
    });
  });
});

describe('functions', () => {
  it('come back as themselves', async () => {
    expect(await run('const f = () => 1; Try.echo([f])[0] === f')).toBe(true);
  });

  it('overlap their waits', async () => {
    const text = 'const order = []; const f = n => () => { for (let i = 0; i < 3; i++) { Try.later(1, 5); order.push(n) } }; Try.all([f(1), f(2)]); order';
    expect(await run(text)).toEqual([1, 2, 1, 2, 1, 2]);
  });

  it.each([
    ['a sort', '[3, 1, 2].sort((a, b) => Try.later(a) - b)', [1, 2, 3]],
    ['a map', '[1, 2].map(x => Try.later(x * 2))', [2, 4]],
    ['a replace', '"ab".replace(/./g, c => Try.later(c + c))', 'aabb'],
    ['toString', '"" + { toString() { return Try.later("T") } }', 'T'],
    ['toJSON', 'JSON.stringify({ a: { toJSON() { return Try.later("J") } } })', '{"a":"J"}'],
    ['a getter', '({ get x() { return Try.later(4) } }).x', 4],
    ['a proxy', 'new Proxy({}, { get: (_, key) => Try.later(key) }).abc', 'abc'],
    ['a generator', '[...(function* () { for (let i = 1; i < 4; i++) yield Try.later(i) })()]', [1, 2, 3]],
    [
      'an iterator',
      'let out = []; for (const v of { [Symbol.iterator]() { let i = 0; return { next: () => ({ value: Try.later(i), done: ++i > 3 }) } } }) out.push(v); out',
      [0, 1, 2],
    ],
    ['an async function', 'await (async () => Try.later(6))()', 6],
    ['a then', 'await Promise.resolve(1).then(x => Try.later(x + 1))', 2],
    ['a constructor', 'new (class { constructor() { this.x = Try.later(3) } })().x', 3],
    ['a default parameter', '((x = Try.later(8)) => x)()', 8],
    ['a tagged template', '((s, v) => v)`a${Try.later(2)}`', 2],
    ['a reviver', 'JSON.parse("[1]", (key, value) => key === "0" ? Try.later(9) : value)', [9]],
  ])('waits inside %s', async (_, text, expected) => {
    expect(await run(text)).toEqual(expected);
  });
});

describe('errors', () => {
  it('of the host are Errors with code, message and method', async () => {
    expect(await run('let r; try { Try.fail("boom") } catch (e) { r = [e.code, e.message, e.method, e instanceof Error, e.details.outcome] } r')).toEqual([
      'TOOL_FAILED',
      'boom',
      'Try.fail',
      true,
      'failed',
    ]);
  });

  it('come out of a callback unchanged', async () => {
    expect(await run('const mine = { code: 5 }; let same; try { Try.call(() => { Try.later(1); throw mine }) } catch (e) { same = e === mine } same')).toBe(
      true,
    );
  });

  it('keep line and traceback over waits', async () => {
    await expect(run('function deep() {\n  Try.later(1)\n  throw new Error("deep")\n}\nfunction outer() {\n  deep()\n}\nouter()')).rejects.toMatchObject({
      code: 'SCRIPT_ERROR',
      message: 'deep',
      where: { file: 'test.js', line: 3 },
      traceback: expect.stringMatching(/^deep \(test\.js:3:\d+\)\nouter \(test\.js:6:\d+\)\ntest\.js:8:\d+$/),
    });
  });

  it('of syntax say where', async () => {
    await expect(run('let x =\n\nreturn )')).rejects.toMatchObject({ code: 'SYNTAX_ERROR', where: { file: 'test.js', line: 3 } });
  });
});

describe('results', () => {
  it.each([
    ['the completion value', '1; if (true) { 5 } else { 6 }', 5],
    ['a top-level return', 'if (ARGS.length === 0) return 7\nreturn 8', 7],
    ['a default export', 'export default 9', 9],
    ['a promise, awaited', 'Promise.resolve(Promise.resolve(4))', 4],
    ['top-level await', 'const x = await Promise.resolve(3)\nx + 1', 4],
  ])('are %s', async (_, text, expected) => {
    expect(await run(text)).toBe(expected);
  });
});
