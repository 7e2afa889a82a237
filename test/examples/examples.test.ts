import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { testRuntime } from '../support/runtime.ts';

const FOLDER = join(import.meta.dirname, '../../examples');

/** What each pair prints, and what is in State afterwards where that is the point. `times` runs it so often over the same data. */
const EXAMPLES: Record<string, { readonly prints: readonly (string | RegExp)[]; readonly args?: readonly string[]; readonly times?: number }> = {
  review: {
    prints: ['src/login.js:11  console.log debug output', 'src/mail.js:2  secret key', /^ {2}> Secrets never stand in the code/m, '4 findings'],
  },
  triage: {
    prints: [/^outage +Storage/, /\ninvoice +Invoice 2041/, /\nmeeting +Minutes[^\n]*seen\nmeeting +Thursday/, /newsletter +Offers[^\n]*seen$/],
    times: 2,
  },
  analyst: {
    prints: [/ {2}North +111 units +5720 euros/, 'The region North sold 111 units and has the highest revenue of all regions, 5720 euros.'],
  },
  'web-research': { prints: ['the water in the harbour rises by six metres', '(Harbour guide', '[3] data/pages/birds.html'] },
  'release-notes': {
    prints: ['# 1.1.0\n\n> Scripts that read the export must skip one line.', '- search: find words with accents', '2 new, 2 mended, written to'],
  },
  minutes: {
    prints: ['Decisions\n- We decided to', '- Mara will call the bank this week.', 'Open\n', 'who looks after the help desk in July.'],
  },
  'log-watch': {
    prints: [
      'alert    payments has 3 errors',
      'the gateway refused the certificate because it expired on March 1.” (payments)',
      'the queue is full, 40 messages wait.” (mail)',
      '7 events, 6 deliveries',
    ],
  },
  glossary: {
    prints: ['menu.account: “Dein Account” should contain “Konto”', 'never an Account because the German law', '4 texts, 2 problems'],
  },
  tickets: {
    prints: ['technical: When the app crashes at the start, clear its cache', 'sales: Schools get the team plan at half the price.', /billing +1 answered/],
  },
  nightly: { prints: [/^orders +96 {2}\+0$/m, /^visitors +1840 {2}\+0$/m, 'report 2'], times: 2 },
};
const WITH_OWN_TEST = ['research'];

async function run(name: string, language: Language): Promise<string> {
  const file = `${name}.${language === 'lua' ? 'lua' : 'js'}`;
  const { times = 1, args = [] } = EXAMPLES[name] ?? {};
  await using test = await testRuntime({ log: { level: 'silent' } });
  let output: readonly string[] = [];
  for (let i = 0; i < times; i++) {
    const result = await test.runtime.execute(readFileSync(join(FOLDER, file), 'utf8'), {
      language,
      name: file,
      path: join(FOLDER, file),
      args,
      grants: { ...test.grants, read: [FOLDER, ...test.grants.read] },
      seed: 1,
    });
    output = result.output;
  }
  return output.join('\n');
}

describe('the examples', () => {
  it.each(Object.keys(EXAMPLES))('%s prints what it says, the same in both languages', async (name) => {
    const [lua, javascript] = [await run(name, 'lua'), await run(name, 'javascript')];
    expect(javascript).toBe(lua);
    for (const part of EXAMPLES[name]?.prints ?? []) {
      if (typeof part === 'string') expect(lua).toContain(part);
      else expect(lua).toMatch(part);
    }
  });

  it('are pairs, each with a test, a comment and at most sixty lines', () => {
    const scripts = readdirSync(FOLDER).filter((file) => /\.(?:lua|js)$/.test(file));
    const names = [...new Set(scripts.map((file) => file.replace(/\.\w+$/, '')))];
    expect(scripts.length).toBe(names.length * 2);
    for (const name of names.filter((one) => Object.hasOwn(EXAMPLES, one))) {
      for (const ending of ['lua', 'js']) {
        const text = readFileSync(join(FOLDER, `${name}.${ending}`), 'utf8');
        expect(text).toMatch(/^(?:--|\/\/) [A-Z][\s\S]*?\n(?:--|\/\/) {3}.*llmspell run/);
        expect(text.split('\n').length).toBeLessThanOrEqual(61);
      }
    }
    expect(names.filter((name) => WITH_OWN_TEST.includes(name) || Object.hasOwn(EXAMPLES, name))).toEqual(expect.arrayContaining(Object.keys(EXAMPLES)));
  });
});
