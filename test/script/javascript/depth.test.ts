import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { BIN, environment } from '../../support/command-line.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';

const engine = createJavaScriptEngine();
const host = testHost();

const run = (text: string, limits: Partial<Limits> = {}): Promise<Value> => runText(engine, testRun({ host, limits, language: 'javascript' }).run, text);

/** Recursion that counts its depth in `d`, and how deep it gets at least. */
const COUNTED: Readonly<Record<string, readonly [text: string, least: number]>> = {
  functions: ['function f() { d++; return 1 + f() } f()', 700],
  methods: ['const o = { f(n) { d++; return 1 + this.f(n + 1) } }; o.f(0)', 600],
  'a walk over a tree': ['function walk(tree) { d++; let n = 1; for (const child of [tree]) n += walk(child); return n } walk(1)', 580],
  getters: ['const o = { get x() { d++; return this.x } }; o.x', 550],
  constructors: ['class A { constructor() { d++; this.x = new A() } } new A()', 650],
  'callbacks of map': ['const walk = (n) => { d++; return [n].map(walk) }; walk(1)', 280],
  'async functions': ['async function f() { d++; return 1 + (await f()) } await f()', 340],
  'generators in generators': ['function* f() { d++; yield 1; yield* f() } for (const _ of f());', 330],
};

/** Nesting of `n` levels, and how many of them work at least. */
const NESTED: Readonly<Record<string, readonly [text: string, works: number]>> = {
  'JSON.parse': ['JSON.parse("[".repeat(n) + "]".repeat(n))', 3_500],
  'JSON.stringify': ['let a = []; for (let i = 0; i < n; i++) a = [a]; JSON.stringify(a)', 2_600],
  parentheses: ['(0, eval)("(".repeat(n) + "1" + ")".repeat(n))', 370],
  'array literals': ['(0, eval)("[".repeat(n) + "]".repeat(n))', 370],
  'object literals': ['(0, eval)("(" + "{a:".repeat(n) + "1" + "}".repeat(n) + ")")', 370],
  'calls in calls': ['(0, eval)("(() => " + "f(".repeat(n) + "1" + ")".repeat(n) + ")")', 370],
  'functions in functions': ['(0, eval)("(function(){".repeat(n) + "})".repeat(n))', 120],
  blocks: ['(0, eval)("{".repeat(n) + "}".repeat(n))', 740],
  'unary operators': ['(0, eval)("!".repeat(n) + "1")', 500],
  'regular expressions': ['new RegExp("(?:".repeat(n) + ")".repeat(n))', 1_500],
  flat: ['let a = []; for (let i = 0; i < n; i++) a = [a]; a.flat(Infinity)', 2_100],
  'iterators in iterators': ['let it = [1].values(); for (let i = 0; i < n; i++) it = it.map((x) => x); it.next()', 1_000],
  'iterators without functions': ['let it = [1].values(); for (let i = 0; i < n; i++) it = it.take(1); it.next()', 1_000],
  'proxies of proxies': ['let p = { x: 1 }; for (let i = 0; i < n; i++) p = new Proxy(p, {}); p.x', 1_500],
};

/** Whatever else may recurse: the frames of each are of another size. */
const ENDLESS = {
  'many arguments': '(function f(...a) { return f(...a, 1) })()',
  'a derived constructor': 'class A { constructor() { new B() } } class B extends A { constructor() { super() } } new B()',
  reduce: '(function f() { return [1, 2].reduce(f) })()',
  sort: '(function f() { [2, 1].sort(f); return 0 })()',
  'Array.from': '(function f() { return Array.from([1], f) })()',
  'replace with a function': '(function f() { return "x".replace(/x/, f) })()',
  apply: '(function f() { return f.apply(null, []) })()',
  'Reflect.construct': '(function f() { Reflect.construct(f, []) })()',
  'a bound function': '(function f() { return f.bind(null)() })()',
  'a template tag': '(function f() { return f`x` })()',
  'generators that are spread': 'function* f() { yield [...f()] } [...f()]',
  'a setter': 'const o = { set x(v) { this.x = v } }; o.x = 1',
  'a trap of a proxy': 'const p = new Proxy({}, { get: (_, k, r) => r[k] }); p.x',
  toString: 'const o = { toString: () => `${o}` }; `${o}`',
  valueOf: 'const o = { valueOf: () => o < 1 }; o < 1',
  'a key that is made': 'const o = { [Symbol.toPrimitive]: () => ({})[o] }; ({})[o]',
  'an array as text': 'let a = []; for (let i = 0; i < 20000; i++) a = [a]; `${a}`',
  toLocaleString: 'let a = []; for (let i = 0; i < 20000; i++) a = [a]; a.toLocaleString()',
  toJSON: 'const o = { toJSON: () => JSON.stringify(o) }; JSON.stringify(o)',
  'a replacer': 'JSON.stringify({}, function r() { return JSON.stringify({}, r) })',
  'a reviver that nests':
    'let deep = []; for (let i = 0; i < 20000; i++) deep = [deep]; JSON.parse("[1,2]", function (k, v) { if (k === "0") this[1] = deep; return v })',
  'an iterator': 'const o = { [Symbol.iterator]: () => [...o] }; [...o]',
  'for of': 'const o = { [Symbol.iterator]() { for (const x of o); } }; for (const x of o);',
  'a Map of itself': 'const o = { [Symbol.iterator]: () => new Map(o) }; new Map(o)',
  instanceof: 'const o = { [Symbol.hasInstance]: () => 1 instanceof o }; 1 instanceof o',
  species: 'const a = [1]; a.constructor = { get [Symbol.species]() { return a.map((x) => x) } }; a.map((x) => x)',
  'constructors of proxies': 'let p = class {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); new p()',
  'keys of proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); Object.keys(p)',
  'prototypes of proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); Object.getPrototypeOf(p)',
  'frozen proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); Object.preventExtensions(p)',
  'defining on proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); Object.defineProperty(p, "x", { value: 1 })',
  'deleting from proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); delete p.x',
  'keys in proxies': 'let p = {}; for (let i = 0; i < 20000; i++) p = new Proxy(p, {}); "x" in p',
  'Iterator.concat': 'let it = [1].values(); for (let i = 0; i < 20000; i++) it = Iterator.concat(it); it.next()',
  'iterators that are closed': 'let it = [1].values(); for (let i = 0; i < 20000; i++) it = it.drop(0); it.next(); it.return()',
  'delegating generators': 'function* g(it) { yield* it } let it = [1].values(); for (let i = 0; i < 20000; i++) it = g(it); it.next()',
  eval: '(function f() { eval("f()") })()',
  'computed keys': 'eval("({[".repeat(5000))',
  indexes: 'eval("a[".repeat(5000))',
  'new of new': 'eval("new (".repeat(5000))',
  templates: 'eval("`${".repeat(5000))',
  imports: 'eval("import(".repeat(5000))',
  'classes in classes': 'eval("(class{f(){".repeat(5000))',
  'classes that extend classes': 'eval("(class extends ".repeat(5000))',
  'fields in fields': 'eval("(class{a=".repeat(5000))',
  'static blocks': 'eval("(class{static{".repeat(5000))',
  'default values': 'eval("(function(a=".repeat(5000))',
  arrows: 'eval("x=>".repeat(20000) + "1")',
  'await of await': 'eval("async function f(){" + "await ".repeat(20000) + "1}")',
  powers: 'eval("1**".repeat(20000) + "1")',
  conditions: 'eval("1?".repeat(20000) + "1")',
  'else if': 'eval("if(1);else ".repeat(20000) + ";")',
  switches: 'eval("switch(1){case 1:".repeat(5000))',
  'lookbehind in lookbehind': 'new RegExp("(?<=".repeat(20000) + ")".repeat(20000))',
  'sets of characters': 'new RegExp("[".repeat(20000), "v")',
  'differences of sets': 'new RegExp("[[a--".repeat(20000), "v")',
  'intersections of sets': 'new RegExp("[a&&[".repeat(20000), "v")',
} as const;

const alive = 'Try.later(1)';

describe('recursion in JavaScript', () => {
  it.each(Object.entries(COUNTED))('of %s is deep, and ends in an error that the script may catch', async (_, [text, least]) => {
    const [depth, name, after] = (await run(
      `let d = 0, name; try { await (async () => { ${text} })() } catch (e) { name = e.name } [d, name, ${alive}]`,
    )) as Value[];
    expect(depth).toBeGreaterThan(least);
    expect([name, after]).toEqual(['RangeError', 1]);
  });

  it.each(Object.entries(NESTED))('of %s is deep, and ends in an error that the script may catch', async (_, [text, works]) => {
    const nest = (n: number) => `((n) => { ${text} })(${n})`;
    expect(await run(`${nest(works)}; let name; try { ${nest(30_000)} } catch (e) { name = e.name } [name, ${alive}]`)).toEqual([
      expect.stringMatching(/^(?:Range|Syntax)Error$/),
      1,
    ]);
  });

  it.each(Object.entries(ENDLESS))('ends in an error that the script may catch: %s', async (_, text) => {
    expect(await run(`let name; try { ${text} } catch (e) { name = e.name } [name, ${alive}]`, { memory_mb: 256 })).toEqual([
      expect.stringMatching(/^(?:Range|Syntax)Error$/),
      1,
    ]);
  });

  it('ends so where V8 has optimized the engine for what is short', () => {
    const nested = ['[', '[[a--', '(?='].map((part) => `try { new RegExp("${part}".repeat(20000), "v") } catch (e) { names.push(e.name) }`);
    const text = `for (let i = 0; i < 5000; i++) new RegExp("[a-z0-9_]+x", "v"); const names = []; ${nested.join(';')} print(...names)`;
    // A process of its own has seen nothing else, and optimizes at once instead of beside.
    const args = ['--wasm-sync-tier-up', BIN, 'exec', '--lang', 'javascript', text];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: tmpdir(), env: environment(tmpdir()), encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'SyntaxError SyntaxError SyntaxError\n', stderr: '' });
  });

  it('is as deep in every callback, whether its stack is new or not', async () => {
    const callback = '() => { Try.later(1); let d = 0; try { (function f() { d++; return 1 + f() })() } catch {} Try.later(1); return d }';
    const depths = (await run(`[...Try.all(Array(12).fill(${callback})), ...Try.all(Array(3).fill(${callback}))]`)) as number[];
    expect(new Set(depths).size).toBe(1);
    expect(depths[0]).toBeGreaterThan(700);
  });

  it.each([
    ['with many variables', '(function f() { var VARIABLES; return 1 + f() })', 5_000],
    ['with more variables than its stack has place', '(function f() { var VARIABLES; return 1 })', 30_000],
    // Variables beside so many parameters would be looked up among them one by one.
    ['with as many parameters and operands as may be', '(function f(PARAMETERS) { return f(OPERANDS) })', 65_000],
  ])('of a function %s ends so on every stack', async (_, text, count) => {
    const names = `Array.from({length: ${count}}, (_, i) => "n" + i).join()`;
    const callback = '() => { Try.later(1); try { return f() } catch (e) { return e.name } }';
    expect(
      await run(
        `const f = (0, eval)("${text}".replace(/VARIABLES|PARAMETERS/, ${names}).replace("OPERANDS", "0,".repeat(${count}))); [...Try.all(Array(7).fill(${callback})), ${alive}]`,
      ),
    ).toEqual([...Array(7).fill('RangeError'), 1]);
  });

  it('is as deep where the host is deep in calls of its own', async () => {
    const text = 'let d = 0; try { (function f() { d++; return 1 + f() })() } catch {} d';
    const deep = (n: number): Promise<Value> => (n > 0 ? deep(n - 1) : run(text));
    expect(await deep(5_000)).toBe(await run(text));
  });

  it('ends the run with one sentence when nobody catches it', async () => {
    const error = await run('const f = (n) =>\n1 + f(n + 1); f(1)', { memory_mb: 8 }).catch((problem) => problem);
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'the script nests its calls too deep', where: { file: 'test.js', line: 2 } });
  });

  it('leaves whole what waits deep in other fibers, also in generators', async () => {
    const deep = `const deep = (n, seed) => {
      const [a, b, c] = [n * seed, n + "x", { n }];
      if (n === 0) return Try.later(0, seed);
      const rest = deep(n - 1, seed);
      if (n % 50 === 0) Try.later(1, 1);
      if (a !== n * seed || b !== n + "x" || c.n !== n) throw new Error("other locals");
      return rest + a;
    }`;
    const overflow = 'let d = 0; const f = () => { if (++d % 200 === 0) Try.later(1, 1); return 1 + f() }; try { f() } catch (e) { return e.name }';
    const text = `${deep};
      function* nested(depth, n, seed) { if (depth > 0) yield* nested(depth - 1, n, seed); else yield deep(n, seed) }
      const fns = [];
      for (let i = 0; i < 5; i++) fns.push(() => deep(400, i), () => { ${overflow} }, () => [...nested(30, 100, i)][0]);
      Try.all(fns)`;
    const sum = (n: number) => (n * (n + 1)) / 2;
    expect(await run(text)).toEqual([0, 1, 2, 3, 4].flatMap((seed) => [sum(400) * seed, 'RangeError', sum(100) * seed]));
  });
});
