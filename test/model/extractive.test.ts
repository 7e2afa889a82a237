import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import type { ValueMap } from '../../src/call/value.ts';
import { createExtractiveModel } from '../../src/model/extractive/model.ts';
import { rank, readSentences } from '../../src/model/extractive/rank.ts';
import { plainText, sentencesOf } from '../../src/model/extractive/sentences.ts';
import { termsOf } from '../../src/model/extractive/words.ts';
import { turnsDuring } from '../support/turns.ts';

const model = createExtractiveModel('local/extractive');
async function ask(content: string, context: string, { cpu = new Cpu(), schema }: { cpu?: Cpu; schema?: ValueMap } = {}): Promise<string> {
  const request = { messages: [{ role: 'user' as const, content, context }], tools: [], schema, signal: new AbortController().signal };
  return (await model.generate(request, undefined, { tenant: 't', cpu })).message.content;
}
const numbered = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at)).join('\n\n');

describe('local/extractive', { timeout: 60_000 }, () => {
  it('answers from a long text as from a short one, beside the event loop, and the run is charged', async () => {
    const question = 'When does the harbour museum open?';
    const sentence = 'The harbour museum opens at nine on every day but Monday.';
    const short = await ask(question, sentence);
    const cpu = new Cpu();
    const { result, turns } = await turnsDuring(() => ask(question, `${sentence}\n\n${numbered(25_000, (at) => `Line w${at}x is another one.`)}`, { cpu }));
    expect(result).toBe(short);
    expect(turns).toBeGreaterThan(10);
    expect(cpu.ms).toBeGreaterThan(10);
  });

  it('reads as many words in a question as sentences in a text in a time that grows with their sum', async () => {
    const words = numbered(50_000, (at) => `w${at}x`);
    const answer = await ask(
      `${words.replaceAll('\n\n', ' ')}?`,
      numbered(50_000, (at) => `The w${at}x stands alone.`),
    );
    expect(answer).toContain('the given text says');
  });

  it.each([
    ['marks that are never closed', '**a '.repeat(300_000)],
    ['brackets that are never closed', '[a]('.repeat(300_000)],
    ['images that are never closed', '!['.repeat(300_000)],
    ['full stops', '.'.repeat(1_000_000)],
    ['abbreviations', 'A. '.repeat(300_000)],
    ['dashes', `${'-'.repeat(1_000_000)}x`],
    ['blanks behind a file name', `a.md${' '.repeat(1_000_000)}x`],
    ['underscores', `${'a_'.repeat(500_000)}b`],
    ['lists in lists', `${'['.repeat(200_000)}${']'.repeat(200_000)} The end is here.`],
  ])('reads %s once', async (_, text) => {
    expect((await ask('Summarize.', text)).length).toBeLessThan(3_000);
  });

  it('cuts a long passage at a blank, or where there is none within a word', async () => {
    expect(await ask('What is far?', `It is far ${'and far '.repeat(100)}away.`)).toMatch(/far …”/);
    expect(await ask('Summarize.', `x${'😀'.repeat(1_000)}`)).toContain(`“x${'😀'.repeat(209)} …”`);
    expect(await ask('x'.repeat(1_000), 'Another text.')).toMatch(/^[^“]*“x{117} …”[^“]*“x{117} …”\.$/);
  });

  it('writes no answer without end, and reads no text without end', async () => {
    const properties = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`answer${at}`, { type: 'string' }]));
    await expect(ask('What is far?', `It is far ${'and far '.repeat(100)}away.`, { schema: { type: 'object', properties } })).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringMatching(/^local\/extractive: the answer has \d+ characters, more than the 4000000 it writes$/),
    });
    await expect(ask('What?', 'word '.repeat(900_000))).rejects.toThrow('more than the 4000000 it reads');
    await expect(ask('What?', 'x'.repeat(17 * 2 ** 20))).rejects.toThrow('more than the 16777216 it looks through');
  });
});

describe('its ranking', () => {
  /** Okapi BM25 over sentences as its formula says, one term of the question after the other. */
  function slowly(texts: readonly string[], terms: readonly string[]): Map<string, number> {
    const blocks = texts.map((text) => ({ source: undefined, heading: undefined, text }));
    const sentences = readSentences(blocks);
    const number = (term: string) => sentences.filter((one) => one.terms.includes(term)).length;
    const weights = terms.map((term) => [term, Math.log(1 + (sentences.length - number(term) + 0.5) / (number(term) + 0.5))] as const);
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    const average = sentences.reduce((sum, one) => sum + one.terms.length, 0) / Math.max(sentences.length, 1);
    const scores = new Map<string, number>();
    for (const { text, terms: own, block, at } of sentences) {
      let [score, covered] = [0, 0];
      for (const [term, weight] of weights) {
        const count = own.filter((one) => one === term).length;
        const near = sentences.some((other) => other.block === block && other.terms.includes(term)) ? 0.3 : 0;
        covered += weight * (count > 0 ? 1 : near);
        score += count > 0 ? (weight * count * 2.2) / (count + 1.2 * (0.4 + (0.6 * own.length) / average)) : weight * near;
      }
      if (!terms.some((term) => own.includes(term))) continue;
      const kept = terms.filter(
        (term, place) => place > 0 && own[own.indexOf(terms[place - 1] as string) + 1] === term && own.includes(terms[place - 1] as string),
      );
      const words = text.split(' ').length;
      const shape = (words < 4 ? 0.35 : words < 7 ? 0.75 : 1) * (1 + 0.2 / (1 + at));
      scores.set(text, score * (0.4 + (0.6 * covered) / total) * shape * (1 + Math.min(0.5, kept.length * 0.25)));
    }
    return scores;
  }

  it('is that of the formula', () => {
    const word = fc.constantFrom('harbour', 'museum', 'ferry', 'noon', 'ticket', 'bread', 'tide');
    const sentence = fc.array(word, { minLength: 2, maxLength: 9 }).map((words) => `It ${words.join(' ')}.`);
    const text = fc.array(sentence, { minLength: 1, maxLength: 5 }).map((all) => all.join('\n\n'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), fc.uniqueArray(word, { minLength: 1, maxLength: 4 }), (texts, words) => {
        const terms = words.flatMap(termsOf);
        const blocks = texts.map((one) => ({ source: undefined, heading: undefined, text: one }));
        const expected = slowly(texts, terms);
        const { ranked } = rank(readSentences(blocks), blocks, terms);
        for (const { text: found, score } of ranked) expect(score).toBeCloseTo(expected.get(found) ?? Number.NaN, 9);
        if (ranked.length > 0) expect(ranked).toHaveLength(expected.size);
      }),
    );
  });

  it('takes Markdown off as its expressions say', () => {
    const sign = fc.constantFrom('**', '__', '*', '[', ']', '(', ')', '![', '](', ' ', 'a', 'b c');
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 24 }), (signs) => {
        const text = signs.join('');
        const expected = text
          .replaceAll(/!\[([^\]]*)\]\([^)\s]*\)/g, '$1')
          .replaceAll(/\[([^\]]+)\]\([^)\s]*\)/g, '$1')
          .replaceAll(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
          .replaceAll(/(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?!\w)/g, '$1')
          .replaceAll(/\s+/g, ' ')
          .trim();
        expect(plainText(text)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['See e.g. Bread. It is good.', ['See e.g. Bread.', 'It is good.']],
    ['Dr. No came... He left?! "Why?" Nobody (approx. Ten) knew.', ['Dr. No came...', 'He left?!', '"Why?"', 'Nobody (approx. Ten) knew.']],
    ['A. Person said so. Then B. left.', ['A. Person said so.', 'Then B. left.']],
  ])('divides %j into sentences', (text, sentences) => expect(sentencesOf(text)).toEqual(sentences));
});
