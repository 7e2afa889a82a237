import type { Language } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import type { ScriptError } from '../../../src/errors.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';

const DOOMED: Readonly<Record<Language, string>> = {
  lua: `local all = {}
for i = 1, 30 do all[i] = function() local co = coroutine.wrap(function() while true do coroutine.yield(Try.later(i, i % 5)) end end) while true do pcall(co) end end end
all[31] = function() Try.later(1, 2) while true do pcall(function() while true do end end) end end
Try.all(all)`,
  javascript: `Try.all(Array.from({length: 31}, (_, i) => i < 30
  ? () => { for (;;) try { [...(function* () { for (;;) yield Try.later(i, i % 5) })()] } finally { continue } }
  : () => { Try.later(1, 2); for (;;) try { for (;;); } catch {} }))`,
};

const NEIGHBOUR: Readonly<Record<Language, string>> = {
  lua: 'local n = 0 while not Try.echo(nil) and n < INPUT do n = n + 1 local t = {} for i = 1, 50 do t[i] = Try.echo(i) end if #t ~= 50 or Try.later(n, 0) ~= n then error("noticed") end end return n',
  javascript:
    'let n = 0; while (n < INPUT) { n++; const t = []; for (let i = 0; i < 50; i++) t.push(Try.echo(i)); if (t.length !== 50 || Try.later(n, 0) !== n) throw new Error("noticed") } n',
};

/** What so many kills of 31 open fibers each leave behind. */
export interface Outcome {
  /** Codes of the errors that the killed runs ended with. */
  readonly codes: readonly string[];
  /** What the run beside them came to. */
  readonly neighbour: Value;
  /** How much the process grew after the first third, MB. */
  readonly grownMb: number;
}

/** Kills runs one after the other beside one that goes on. */
export async function kills(language: Language, count: number): Promise<Outcome> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  const turns = count * 2;
  const beside = runText(engine, testRun({ host, language, input: turns, limits: { cpu_ms: 600_000 } }).run, NEIGHBOUR[language]);
  const codes = new Set<string>();
  let before = 0;
  for (let i = 0; i < count; i++) {
    if (i === Math.floor(count / 3)) before = process.memoryUsage().rss;
    const { run } = testRun({ host, language, limits: { cpu_ms: 5 } });
    await runText(engine, run, DOOMED[language]).then(
      () => codes.add('it ended'),
      (error: ScriptError) => codes.add(error.code),
    );
  }
  return { codes: [...codes], neighbour: await beside, grownMb: (process.memoryUsage().rss - before) / 2 ** 20 };
}
