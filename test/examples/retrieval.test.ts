import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { testRuntime } from '../support/runtime.ts';

const FOLDER = join(import.meta.dirname, '../../examples');

/** What each pair prints. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  chat: [
    '> For how many weeks may a film be kept?\nOn “For how many weeks may a film be kept?” the given text says:\n\n“A film may be kept for one week. Films cannot be renewed.” (data/library/lending.md › Lending › Films)',
    'Films cannot be renewed.” (data/library/lending.md › Lending › Films)\n  [1] data/library/lending.md, Lending › Films',
    '“Each day that something is late costs twenty cents, and never more than ten euros.”',
    '6 turns in this conversation',
  ],
  tenants: [
    'bakery: 1 document\n  “Bread costs three euros.',
    '(found in prices)',
    'The harbour knows of bread: false',
    'RAG.retrieve: this run may not reach the tenant bank (grants.tenants or --allow-tenant bank)',
    'The bakery leaves: true\n0 and 1 documents are left',
  ],
};

async function run(name: string, language: Language): Promise<string> {
  const file = `${name}.${language === 'lua' ? 'lua' : 'js'}`;
  await using test = await testRuntime({ log: { level: 'silent' } });
  const { output } = await test.runtime.execute(readFileSync(join(FOLDER, file), 'utf8'), {
    language,
    name: file,
    path: join(FOLDER, file),
    grants: { ...test.grants, read: [FOLDER, ...test.grants.read], tenants: ['bakery', 'harbour'] },
    seed: 1,
  });
  return output.join('\n');
}

describe('the examples of retrieval', () => {
  it.each(Object.keys(EXAMPLES))('%s prints what it says, the same in both languages', async (name) => {
    const [lua, javascript] = [await run(name, 'lua'), await run(name, 'javascript')];
    expect(javascript).toBe(lua);
    for (const part of EXAMPLES[name] ?? []) expect(lua).toContain(part);
  });

  it.each(['chat', 'tenants', 'research'])('%s says what it does and how to run it, in at most sixty lines', (name) => {
    for (const ending of ['lua', 'js']) {
      const text = readFileSync(join(FOLDER, `${name}.${ending}`), 'utf8');
      expect(text).toMatch(/^(?:--|\/\/) [A-Z][\s\S]*?\n(?:--|\/\/) {3}.*llmspell run/);
      expect(text.split('\n').length).toBeLessThanOrEqual(61);
    }
  });
});
