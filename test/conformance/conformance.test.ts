import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import type { ScriptError } from '../../src/errors.ts';
import { globals } from '../../src/globals/index.ts';
import { testRuntime } from '../support/runtime.ts';
import type { Case } from './case.ts';
import { delayed } from './delayed.ts';

const FOLDER = join(import.meta.dirname, '../scripts');
const TABLES = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));
const LANGUAGES: readonly Language[] = ['lua', 'javascript'];

const SLOW = delayed(globals);

async function runCase(one: Case, language: Language, slow: boolean): Promise<void> {
  await using test = await testRuntime({ log: { level: 'silent' }, ...one.config }, slow ? { globals: SLOW, builtins: false } : {});
  const { input, args, limits } = one;
  const work = test.runtime.execute(language === 'lua' ? one.lua : one.js, {
    language,
    grants: { ...test.grants, ...one.grants },
    seed: 1,
    ...(input !== undefined && { input }),
    ...(args && { args }),
    ...(limits && { limits }),
  });
  if (one.expect_error) {
    const error = await work.then(
      ({ value }) => expect.fail(`it gave ${JSON.stringify(value)}`),
      (thrown: ScriptError) => thrown,
    );
    const { code, message } = one.expect_error;
    if (code !== undefined) expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
    if (message instanceof RegExp) expect(error.message).toMatch(message);
    else if (message !== undefined) expect(error.message).toBe(message);
    return;
  }
  const { value, output } = await work;
  if ('expect' in one) expect(value).toEqual(one.expect);
  if (one.output) expect(output).toEqual(one.output);
}

for (const file of TABLES) {
  const { cases } = (await import(join(FOLDER, file))) as { cases: readonly Case[] };
  describe.concurrent.each([
    ['', false],
    [' with every call waiting', true],
  ])(`${file.replace('.ts', '')}%s`, (_, slow) => {
    describe.each(LANGUAGES)('%s', (language) => {
      it.concurrent.each(cases.filter((one) => !(slow && one.at_once)).map((one) => [one.name, one] as const))('%s', (_name, one) =>
        runCase(one, language, slow),
      );
    });
  });
}

/** Lines without what each language writes in its own way: the brackets, signs and layout of lists and maps, the space between arguments, and the name of null. */
function plain(lines: readonly string[]): string {
  return lines
    .join('\n')
    .replaceAll(/[\s{}[\],:=]+/g, ' ')
    .replaceAll(/\bnil\b/g, 'null')
    .trim();
}

describe('the examples of the definitions', () => {
  const examples = globals.flatMap(({ name, methods, callable, handles = [] }) => [
    ...(callable ? [[name, callable] as const] : []),
    ...Object.entries(methods).map(([method, definition]) => [`${name}.${method}`, definition] as const),
    ...handles.flatMap((handle) => Object.entries(handle.methods).map(([method, definition]) => [`${handle.type.name}:${method}`, definition] as const)),
  ]);

  it.concurrent.each(examples)('%s has one that runs in both languages and prints the same', async (_, { examples: given = [] }) => {
    expect(given.length).toBeGreaterThan(0);
    for (const example of given) {
      const printed: string[] = [];
      for (const language of LANGUAGES) {
        await using test = await testRuntime({ log: { level: 'silent' }, models: { mock: { responses: ['Paris.', 'Paris.', 'Paris.', 'Paris.'] } } });
        const { output } = await test.runtime.execute(language === 'lua' ? example.lua : example.javascript, {
          language,
          grants: test.grants,
          seed: 1,
          clock: () => 1_800_000_000_000,
        });
        printed.push(plain(output));
      }
      expect(printed[1]).toBe(printed[0]);
    }
  });
});
