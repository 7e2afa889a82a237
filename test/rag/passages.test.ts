import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { doneAtOnce } from '../../src/call/breath.ts';
import { Cpu } from '../../src/call/cpu.ts';
import { assemble } from '../../src/rag/assemble.ts';
import { diversify } from '../../src/rag/diversity.ts';
import type { Hit } from '../../src/rag/knowledge.ts';
import { verifyQuotations as verifying } from '../../src/rag/quotations.ts';
import { rerank } from '../../src/rag/rerank.ts';

function hit(id: string, text: string, options: { start?: number; score?: number; headings?: string[] } = {}): Hit {
  const { start = 0, score = 1, headings } = options;
  return {
    chunk: { index: 0, text, start, stop: start + text.length, headings },
    document: { id, source: `${id}.md`, format: 'text', metadata: {}, version: 1 },
    score,
    similarity: undefined,
    ranks: {},
  };
}

describe('rerank', () => {
  it('puts a chunk in which the words of the query stand together before one in which they are scattered', () => {
    const scattered = hit('a', 'The ferry is blue. It was built by a family. In winter nobody leaves the island. At noon the bells ring.');
    const together = hit('b', 'The ferry leaves at noon.');
    expect(rerank('When does the ferry leave at noon?', [scattered, together]).map(({ document }) => document.id)).toEqual(['b', 'a']);
  });

  it('counts a heading', () => {
    const plain = hit('a', 'It takes forty minutes in calm weather.');
    const headed = hit('b', 'It takes forty minutes in calm weather.', { headings: ['Ferry timetable'] });
    expect(rerank('ferry timetable', [plain, headed])[0]?.document.id).toBe('b');
  });

  it('keeps the order where the query has no words', () => {
    const hits = [hit('a', 'one'), hit('b', 'two')];
    expect(rerank('of the', hits)).toEqual(hits);
  });
});

describe('diversify', () => {
  const hits = [
    hit('a', 'The ferry leaves at noon.', { score: 1 }),
    hit('b', 'The ferry leaves at noon.', { score: 0.99 }),
    hit('c', 'Bread is sold in the harbour.', { score: 0.7 }),
  ];

  it('leaves out what says the same again', async () => {
    expect((await diversify(new Cpu(), hits, 2, 0.5)).map(({ document }) => document.id)).toEqual(['a', 'c']);
  });

  it('keeps the order without diversity', async () => {
    expect((await diversify(new Cpu(), hits, 2, 0)).map(({ document }) => document.id)).toEqual(['a', 'b']);
  });
});

describe('assemble', () => {
  it('numbers passages and joins chunks that overlap', () => {
    const text = 'The ferry leaves at noon. It takes forty minutes.';
    const hits = [hit('a', text.slice(26), { start: 26 }), hit('b', 'Bread.'), hit('a', text.slice(0, 30))];
    const { text: context, citations, truncated } = assemble(hits, 200);
    expect(context).toBe(`[1] a.md\n${text}\n\n[2] b.md\nBread.`);
    expect(citations).toMatchObject([
      { number: 1, document_id: 'a', start: 0, stop: text.length },
      { number: 2, document_id: 'b' },
    ]);
    expect(truncated).toBe(false);
  });

  it('stays within its tokens and says so', () => {
    const hits = [hit('a', 'A sentence of some words. '.repeat(50)), hit('b', 'Another one.')];
    const { tokens, truncated, text } = assemble(hits, 60);
    expect(tokens).toBeLessThanOrEqual(60);
    expect(truncated).toBe(true);
    expect(text).toMatch(/words\.(?:\n|$)/);
  });

  it('cuts no character in two, and a text without blanks too', () => {
    const unit = fc.constantFrom('😀', '👩‍👩‍👧', '𝒜', '漢', 'a', 'e\u0301', ' ', '. ', '\n');
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 120 }), (units, room) => {
        const source = units.join('');
        const { text, citations, tokens } = assemble([hit('a', source)], room);
        expect(tokens).toBeLessThanOrEqual(room);
        expect(text.isWellFormed()).toBe(true);
        for (const { start, stop } of citations) expect(text.endsWith(source.slice(start, stop))).toBe(true);
      }),
    );
    expect(assemble([hit('a', '漢字'.repeat(200))], 60).citations).toMatchObject([{ start: 0, stop: expect.toSatisfy((stop: number) => stop > 200) }]);
  });
});

describe('verifyQuotations', () => {
  const verifyQuotations = (...args: Parameters<typeof verifying>) => doneAtOnce(verifying(...args));
  const source = 'Intro.\n\n1. The **ferry** leaves at [noon](times.md), and it takes\n   forty minutes.\n2. Bread is sold.';
  const citations = [{ number: 1, document_id: 'a', source: 'a.md', heading: '', start: 0, stop: source.length }];
  const textOf = (id: string) => (id === 'a' ? source : undefined);

  it('finds a quotation through Markdown and line ends and says where', () => {
    const { text, quotations } = verifyQuotations('It says “The ferry leaves at noon, and it takes forty minutes.”', 'When does it leave?', citations, textOf);
    expect(text).not.toContain('not found');
    const [quotation] = quotations;
    expect(quotation).toMatchObject({ verified: true, citation: 1, document_id: 'a' });
    expect(source.slice(quotation?.start, quotation?.stop)).toBe('The **ferry** leaves at [noon](times.md), and it takes\n   forty minutes.');
  });

  it('marks what the source does not say, a single changed word included', () => {
    const { text, quotations } = verifyQuotations('It says "The ferry leaves at midnight", he said.', 'When does it leave?', citations, textOf);
    expect(text).toBe('It says "The ferry leaves at midnight" [not found in the sources], he said.');
    expect(quotations).toMatchObject([{ verified: false }]);
  });

  it('takes an ellipsis for anything, in order', () => {
    expect(verifyQuotations('“The ferry leaves … forty minutes”', 'When does it leave?', citations, textOf).quotations[0]?.verified).toBe(true);
    expect(verifyQuotations('“forty minutes … The ferry leaves”', 'When does it leave?', citations, textOf).quotations[0]?.verified).toBe(false);
  });

  it('takes what repeats the question for no quotation', () => {
    expect(verifyQuotations('On “When does it leave?” nothing is said.', 'When does it leave?', citations, textOf).quotations).toEqual([]);
  });

  it('marks one that is too long to be looked up, and those behind the 200th', () => {
    const long = `"${'The ferry leaves at noon '.repeat(100)}"`;
    const one = verifyQuotations(`${long} and "and it takes forty minutes"`, '', citations, textOf);
    expect(one.text).toBe(`${long} [not looked up] and "and it takes forty minutes"`);
    expect(one.quotations.map(({ verified }) => verified)).toEqual([false, true]);
    const many = verifyQuotations('"The ferry leaves at noon" '.repeat(300), '', citations, textOf);
    expect(many.quotations.filter(({ verified }) => verified).length).toBe(200);
    expect(many.text.split(' [not looked up]').length).toBe(101);
  });

  it('reads a long document in steps, and finds what lies across two of them', () => {
    const words = Array.from({ length: 20_000 }, (_, at) => `wort${at}${at % 7 ? ' ' : '.\n\n  12. '}`).join('');
    const whole = `${words}${'\u{20000}'.repeat(20_000)} ${words}The end of it all.`;
    for (const at of [1_500, 2_350, 7_000, 19_996]) {
      const quoted = `wort${at} wort${at + 1} wort${at + 2} wort${at + 3}`;
      const [found] = verifyQuotations(`"${quoted}"`, '', citations, () => whole).quotations;
      expect(whole.slice(found?.start, found?.stop).replaceAll(/\.\n\n {2}12\. /g, ' ')).toBe(quoted);
    }
    const [last] = verifyQuotations(`“\u{20000}\u{20000}… ${'wort0 wort1'}…the end of it all”`, '', citations, () => whole).quotations;
    expect(last).toEqual(expect.objectContaining({ verified: false }));
    const [end] = verifyQuotations('“wort19998 … The end of it all”', '', citations, () => whole).quotations;
    expect(end?.stop).toBe(whole.length - 1);
    const steps = verifying('"wort1 wort2 wort3"', '', citations, () => whole);
    let count = 0;
    while (!steps.next().done) count++;
    expect(count).toBeGreaterThan(20);
  });

  it('does not take half a word for a word', () => {
    expect(verifyQuotations('“ferry leaves at noo”', 'When does it leave?', citations, textOf).quotations[0]?.verified).toBe(false);
  });
});
