import type { Language } from '../../../src/call/context.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';

const DOOMED: Readonly<Record<Language, string>> = {
  lua: 'Try.all({ function() Try.later(1, 30) end, function() while true do end end })',
  javascript: 'Try.all([() => Try.later(1, 30), () => { for (;;); }])',
};

/** What the process grows by over so many kills of a run with a suspended fiber and one that computes, MB; a fifth of them goes before. */
export async function grownBy(language: Language, kills: number): Promise<number> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  let before = 0;
  for (let i = -kills / 5; i < kills; i++) {
    if (i === 0) before = process.memoryUsage().rss;
    const { run } = testRun({ host, language, limits: { cpu_ms: 1 } });
    await runText(engine, run, DOOMED[language]).then(
      () => Promise.reject(new Error('it was not killed')),
      () => undefined,
    );
  }
  return (process.memoryUsage().rss - before) / 2 ** 20;
}
