/** A process that kills run after run: LANGUAGE, KILLS and, for the control, the bytes that each kill leaves behind. It prints what it grew by, MB. */
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';

const DOOMED = {
  lua: 'Try.all({ function() Try.later(1, 30) end, function() while true do end end })',
  javascript: 'Try.all([() => Try.later(1, 30), () => { for (;;); }])',
};

const [, , name, kills = '', leaves = '0'] = process.argv;
const language = name === 'lua' ? 'lua' : 'javascript';
const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
const host = testHost();
const left: Buffer[] = [];

/** The least that the process held while it killed so many, bytes: what has ended is not freed at once. */
async function leastOver(count: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < count; i++) {
    const { run } = testRun({ host, language, limits: { cpu_ms: 1 } });
    await runText(engine, run, DOOMED[language]).then(
      () => Promise.reject(new Error('it was not killed')),
      () => undefined,
    );
    left.push(Buffer.alloc(Number(leaves), 1));
    least = Math.min(least, process.memoryUsage().rss);
  }
  return least;
}

await leastOver(Number(kills) / 2);
const before = await leastOver(Number(kills));
console.log(((await leastOver(Number(kills))) - before) / 2 ** 20);
