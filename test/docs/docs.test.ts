import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { BUILTIN_TOOLS } from '../../src/tool/builtin/index.ts';
import { testRuntime } from '../support/runtime.ts';

const root = join(import.meta.dirname, '../..');
const guide = readdirSync(join(root, 'docs/guide')).map((file) => `docs/guide/${file}`);
const LANGUAGES: Readonly<Record<string, Language>> = { lua: 'lua', js: 'javascript' };

function blocks(file: string): { language: Language; text: string; line: number }[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/```(lua|js)\n([\s\S]*?)```/g)].map((found) => ({
    language: LANGUAGES[found[1] as string] as Language,
    text: found[2] as string,
    line: text.slice(0, found.index).split('\n').length + 1,
  }));
}

async function run(language: Language, text: string): Promise<readonly string[]> {
  await using test = await testRuntime({ log: { level: 'silent' } });
  return (await test.runtime.execute(text, { language, grants: test.grants, seed: 1 })).output;
}

describe.each(['README.md', ...guide])('%s', (file) => {
  const all = blocks(file);
  const pairs = all.filter(({ language }) => language === 'lua').map((lua, at) => ({ lua, js: all.filter(({ language }) => language === 'javascript')[at] }));

  it('has each script in both languages', () => {
    expect(all.filter(({ language }) => language === 'lua').length).toBe(all.filter(({ language }) => language === 'javascript').length);
  });

  it.each(pairs.map(({ lua, js }) => [lua.line, lua, js] as const))('line %d runs in both languages and prints the same', async (_, lua, js) => {
    const outputs = [await run('lua', lua.text), await run('javascript', js?.text ?? '')];
    expect(outputs[1]?.map((line) => line.replaceAll(/[\s"]/g, ''))).toEqual(outputs[0]?.map((line) => line.replaceAll(/[\s"]/g, '')));
  });
});

it('the README shows what its script prints', async () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const shown = /Both print\n\n```text\n([\s\S]*?)\n```/.exec(text)?.[1];
  const output = await run('lua', blocks('README.md')[0]?.text ?? '');
  expect(shown).toBe(output.join('\n'));
});

it('the chapter on tools lists every tool that comes with the runtime, and no other', () => {
  const chapter = readFileSync(join(root, 'docs/guide/06-tools.md'), 'utf8');
  const listed = [...chapter.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual(BUILTIN_TOOLS.map(({ name }) => name).toSorted());
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`| Tools | ${BUILTIN_TOOLS.length} of them`);
});

it('what the README shows as measured is part of what the guide shows', () => {
  const rows = (file: string) => /<!-- bench -->([\s\S]*)<!-- \/bench -->/.exec(readFileSync(join(root, file), 'utf8'))?.[1]?.match(/^\| .*$/gm) ?? [];
  const shown = rows('README.md');
  expect(shown.length).toBeGreaterThan(2);
  expect(rows('docs/guide/18-measured.md')).toEqual(expect.arrayContaining(shown));
});
