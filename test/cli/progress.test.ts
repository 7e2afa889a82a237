import { describe, expect, it } from 'vitest';
import { progress, type Terminal } from '../../src/cli/progress.ts';
import { testRuntime } from '../support/runtime.ts';

const SCRIPTS = {
  lua: 'Agent.create({name = "thinker", model = "mock/script"}):stream("?", print)',
  javascript: 'Agent.create({name: "thinker", model: "mock/script"}).stream("?", text => print(text))',
} as const;

/** Runs a script whose model answers once the line has been drawn, or at once; gives everything that was written, in order. */
async function watched(language: keyof typeof SCRIPTS, isTTY: boolean): Promise<string[]> {
  const written: string[] = [];
  const drawn = Promise.withResolvers<void>();
  const terminal: Terminal = {
    isTTY,
    columns: 80,
    write(text) {
      written.push(text);
      if (text.includes('thinker')) drawn.resolve();
    },
  };
  await using test = await testRuntime({ log: { level: 'silent' } }, { models: { 'mock/script': () => (isTTY ? drawn.promise.then(() => 'done') : 'done') } });
  const line = progress(test.runtime, terminal, terminal);
  await test.runtime.execute(SCRIPTS[language], { language, on_output: (text) => line.print(text) });
  line.clear();
  return written;
}

describe.each(['lua', 'javascript'] as const)('the progress line in %s', (language) => {
  it('names the agent that is at work, and is wiped before anything is printed', async () => {
    const written = await watched(language, true);
    const shown = written.findLastIndex((text) => /^\S thinker \d+ s$/.test(text));
    const printed = written.indexOf('done\n');
    expect(shown).toBeGreaterThanOrEqual(0);
    expect(printed).toBeGreaterThan(shown);
    expect(written.slice(shown + 1, printed)).toContain('\r\x1b[2K');
    expect(written.at(-1)).toBe('done\n');
  });

  it('is not there where standard error is no terminal', async () => {
    expect(await watched(language, false)).toEqual(['done\n']);
  });
});
