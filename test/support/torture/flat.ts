import type { Language } from '../../../src/call/context.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';

const DOOMED: Readonly<Record<Language, string>> = {
  lua: 'Try.all({ function() Try.later(1, 30) end, function() while true do end end })',
  javascript: 'Try.all([() => Try.later(1, 30), () => { for (;;); }])',
};

/**
 * What the process grows by from so many kills of a run, with a suspended fiber and one that computes, to as many more, MB. Each time the least that it
 * held counts, since what has ended is not freed at once; half as many kills go before.
 */
export async function grownBy(language: Language, kills: number, afterEach: () => void = () => undefined): Promise<number> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  const leastOver = async (count: number) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const { run } = testRun({ host, language, limits: { cpu_ms: 1 } });
      await runText(engine, run, DOOMED[language]).then(
        () => Promise.reject(new Error('it was not killed')),
        () => undefined,
      );
      afterEach();
      least = Math.min(least, process.memoryUsage().rss);
    }
    return least;
  };
  await leastOver(kills / 2);
  const before = await leastOver(kills);
  return ((await leastOver(kills)) - before) / 2 ** 20;
}
