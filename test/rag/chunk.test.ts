import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import { countTokens } from '../../src/model/tokens.ts';
import { type ChunkContext, chunk, toChunking } from '../../src/rag/chunk/chunk.ts';
import { CHUNKERS } from '../../src/rag/chunk/index.ts';
import { count, fit, fitBack } from '../../src/rag/chunk/measure.ts';
import type { Chunk } from '../../src/rag/knowledge.ts';
import type { ChunkOptions } from '../../src/rag/schemas.ts';
import { anyCharacter } from '../support/text.ts';

/** Vectors that tell only how often each letter stands in a text. */
const embed: ChunkContext['embed'] = async (texts) =>
  texts.map((text) => {
    const vector = new Float32Array(27);
    for (const sign of text.toLowerCase()) {
      const at = /[a-z]/.test(sign) ? sign.charCodeAt(0) - 97 : 26;
      vector[at] = (vector[at] ?? 0) + 1;
    }
    return vector;
  });
const context: ChunkContext = { signal: new AbortController().signal, run: { tenant: 'default', cpu: new Cpu() }, embed };
const STRATEGIES = [...CHUNKERS.keys()];
const chunks = (text: string, options: ChunkOptions = {}) => chunk(text, toChunking(options), context);
const texts = (list: readonly Chunk[]) => list.map(({ text }) => text);
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Text as it comes: words, signs, marks, emoji, markup, code, in any order. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: anyCharacter, maxLength: 8 }),
      fc.constantFrom(
        '\n',
        '\n\n',
        ' ',
        '. ',
        '# A\n',
        '## B\n',
        '```\n',
        '| a | b |\n',
        'def f():\n',
        '  x = 1\n',
        '👩‍👩‍👧',
        '🇩🇪🇫🇷',
        'e\u0301',
        `# ${'😀'.repeat(99)}\n`,
        `# a${'😀'.repeat(99)}\n`,
        `def a${'😀'.repeat(99)}():\n`,
        `def ${'😀'.repeat(99)}():\n`,
        'क्ष',
        '漢字。',
        'Dr. No! Yes? ',
      ),
      fc.lorem({ maxCount: 20 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

/** Everything that must hold for the chunks of any text. */
function checkLaws(text: string, list: readonly Chunk[], size: number, overlap: number): void {
  let covered = 0;
  for (const [at, one] of list.entries()) {
    expect(one.index).toBe(at);
    expect(text.slice(one.start, one.stop)).toBe(one.text);
    expect(one.text.trim()).not.toBe('');
    expect([one.text, ...(one.headings ?? [])].every((part) => part.isWellFormed())).toBe(true);
    expect(countTokens(one.text)).toBeLessThanOrEqual(size);
    const before = list[at - 1];
    if (before) {
      expect(one.start).toBeGreaterThan(before.start);
      expect(one.stop).toBeGreaterThan(before.stop);
      if (one.start < before.stop) expect(countTokens(text.slice(one.start, before.stop))).toBeLessThanOrEqual(overlap);
    }
    expect(text.slice(covered, Math.max(covered, one.start)).trim()).toBe('');
    covered = one.stop;
  }
  expect(text.slice(covered).trim()).toBe('');
}

describe.each(STRATEGIES)('%s', (strategy) => {
  it('keeps the laws for any text and any size', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 0.5, noNaN: true }), async (text, size, share) => {
        const overlap = Math.floor(size * share);
        checkLaws(text, await chunks(text, { strategy, chunk_size: size, overlap }), size, overlap);
      }),
      { numRuns: 80 },
    );
  });

  it('makes no chunk of blanks and what it repeats of the one before', async () => {
    const text = 'ornare ut in# A\n\n';
    checkLaws(text, await chunks(text, { strategy, chunk_size: 3, overlap: 1 }), 3, 1);
  });

  it('cuts no grapheme that fits into a chunk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 16, max: 60 }), async (text, size) => {
        const ends = new Set([0, text.length]);
        for (const { index } of segmenter.segment(text)) ends.add(index);
        for (const { start, stop } of await chunks(text, { strategy, chunk_size: size })) {
          expect(ends.has(start)).toBe(true);
          expect(ends.has(stop)).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    ['no blanks', 'x'.repeat(1_000_000)],
    ['no letters', '.'.repeat(300_000)],
    ['only blanks', ' '.repeat(1_000_000)],
    ['blanks between words', `a${' '.repeat(1_000_000)}b`],
    ['one mark on another', `e${'\u0301'.repeat(300_000)}`],
    ['only flags', '🇩🇪'.repeat(50_000)],
    ['only line feeds', '\n'.repeat(500_000)],
    ['open brackets', '# [['.repeat(100_000)],
    ['hashes', `${'#'.repeat(6)}${' #'.repeat(500_000)}`],
    ['fences', '```\n~~~\n'.repeat(40_000)],
    ['indentation', Array.from({ length: 2_000 }, (_, at) => `${' '.repeat(at % 300)}def f():`).join('\n')],
    ['export', 'export '.repeat(100_000)],
  ])('ends soon on %s', async (_, text) => {
    const list = await chunks(text, { strategy, chunk_size: 512, overlap: 200 });
    expect(text.slice(list[0]?.start, list[0]?.stop)).toBe(list[0]?.text ?? text.slice(0, text.length));
    expect(list.every((one) => one.text.length <= 512 * 32)).toBe(true);
    expect(list.at(-1)?.stop ?? 0).toBe(text.trimEnd().length);
  });
});

describe('the laws', () => {
  it('fail for chunks that leave something out', async () => {
    const text = 'one two three four five six seven eight';
    const list = await chunks(text, { strategy: 'fixed', chunk_size: 2, overlap: 0 });
    checkLaws(text, list, 2, 0);
    expect(() => checkLaws(text, list.slice(1), 2, 0)).toThrow();
    expect(() => checkLaws(text, list, 1, 0)).toThrow();
  });
});

describe('tokens', () => {
  it('of a part are those of countTokens, forwards and backwards', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(count(text, 0, text.length)).toBe(countTokens(text));
        const all = countTokens(text);
        if (all > 0) expect(fitBack(text, text.length, 0, all)).toBe(0);
      }),
    );
  });

  it('are counted to the very last that fits', () => {
    expect(fit('one two three', 0, 13, 2)).toEqual({ at: 8, tokens: 2 });
    expect(fit('abcdefghijklm', 0, 13, 2)).toEqual({ at: 12, tokens: 2 });
    expect(fitBack('one two three', 13, 0, 1)).toBe(7);
  });
});

describe('what the strategies keep together', () => {
  it('fixed takes as many words as fit and repeats as many as asked', async () => {
    expect(texts(await chunks('a b c d e f g', { strategy: 'fixed', chunk_size: 4, overlap: 2 }))).toEqual(['a b c d', 'c d e f', 'e f g']);
    expect(texts(await chunks('a b c d e f g', { strategy: 'fixed', chunk_size: 4, overlap: 0 }))).toEqual(['a b c d', 'e f g']);
  });

  it('sentence ends at no abbreviation, initial or number', async () => {
    const text = 'Dr. A. Smith paid 3.50 dollars. He left, e.g. by train. "Why?" she asked. Nobody knew!';
    expect(texts(await chunks(text, { strategy: 'sentence', chunk_size: 14, overlap: 0 }))).toEqual([
      'Dr. A. Smith paid 3.50 dollars.',
      'He left, e.g. by train.',
      '"Why?" she asked. Nobody knew!',
    ]);
  });

  it('sentence knows Chinese and Japanese', async () => {
    expect(texts(await chunks('今日は晴れです。明日は雨でしょう。', { strategy: 'sentence', chunk_size: 4, overlap: 0 }))).toEqual([
      '今日は晴れです。',
      '明日は雨でしょう。',
    ]);
  });

  it('recursive keeps paragraphs, and cuts only those that are too large', async () => {
    const text = 'One two three.\n\nFour five six seven. Eight nine ten eleven. Twelve.\n\nLast one.';
    expect(texts(await chunks(text, { strategy: 'recursive', chunk_size: 8, overlap: 0 }))).toEqual([
      'One two three.',
      'Four five six seven.',
      'Eight nine ten eleven. Twelve.',
      'Last one.',
    ]);
  });

  it('markdown keeps sections, their headings, code and tables', async () => {
    const fence = '```js\nlet a = 1\n\n# no heading\nlet b = 2\n```';
    const table = '| a | b |\n| - | - |\n| 1 | 2 |';
    const text = `---\ntitle: T\n---\n\n# Guide\n\n## Install *now* ##\n\nRun it.\n\n${fence}\n\nUse\n---\n\nBefore.\n\n${table}\n\n# Other\nEnd.\n`;
    const list = await chunks(text, { strategy: 'markdown', chunk_size: 40, overlap: 10 });
    const found = list.map(({ headings, text: one }) => [headings, one]);
    expect(found).toEqual([
      [undefined, '---\ntitle: T\n---'],
      [['Guide', 'Install now'], '# Guide\n\n## Install *now* ##\n\nRun it.\n\n```js\nlet a = 1\n\n# no heading\nlet b = 2\n```'],
      [['Guide', 'Use'], `Use\n---\n\nBefore.\n\n${table}`],
      [['Other'], '# Other\nEnd.'],
    ]);
    for (const { text: one } of await chunks(text, { strategy: 'markdown', chunk_size: 24, overlap: 12 })) expect(one.split('```').length % 2).toBe(1);
  });

  it('code keeps definitions with their comments, and names what is around a part', async () => {
    const text =
      'import os\n\n# adds\n@cache\ndef add(a, b):\n    return a + b\n\nclass Shop:\n    """Sells."""\n\n    def buy(self, x):\n        return x\n\n    # gives\n    def sell(self, x):\n        y = x\n\n        return y\n';
    const list = await chunks(text, { strategy: 'code', language: 'python', chunk_size: 26, overlap: 0 });
    expect(texts(list)).toEqual([
      'import os\n\n# adds\n@cache\ndef add(a, b):\n    return a + b',
      'class Shop:\n    """Sells."""\n\n    def buy(self, x):\n        return x',
      '    # gives\n    def sell(self, x):\n        y = x\n\n        return y',
    ]);
    expect(list[2]?.headings).toEqual(['class Shop']);
  });

  it('semantic begins a chunk where the subject changes', async () => {
    const text = 'Aaa aaa aa. Aa aaaa aaa. Aaaa a aa. Aaa aaa aaa. Zzz zz zzz. Zz zzzz zz. Zzz zzz zz. Zzzz zz zzz.';
    const list = await chunks(text, { strategy: 'semantic', chunk_size: 200 });
    expect(texts(list)).toEqual([text.slice(0, 48).trim(), text.slice(48).trim()]);
  });
});

describe('options', () => {
  it.each<[ChunkOptions, string]>([
    [{ strategy: 'recursiv' }, 'RAG.x: chunking.strategy: unknown "recursiv"; did you mean "recursive"?'],
    [{ strategy: 'banana' }, 'RAG.x: chunking.strategy: unknown "banana"; there are fixed, sentence, recursive, markdown, code, semantic'],
    [{ chunk_size: 0 }, 'RAG.x: chunking.chunk_size: expected 1 to 100000 tokens, got 0'],
    [{ chunk_size: 10, overlap: 6 }, 'RAG.x: chunking.overlap: expected 0 to half of chunk_size, 5, got 6'],
    [{ overlap: -1 }, 'RAG.x: chunking.overlap: expected 0 to half of chunk_size, 256, got -1'],
    [{ breakpoint_percentile: 100 }, 'RAG.x: chunking.breakpoint_percentile: expected a number between 0 and 100, got 100'],
  ])('%j is refused', (options, message) => {
    expect(() => toChunking(options, 'RAG.x')).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT', message }));
  });

  it('have the defaults of the field', () => {
    expect(toChunking()).toMatchObject({ strategy: 'recursive', size: 512, overlap: 50 });
    expect(toChunking({ chunk_size: 100 })).toMatchObject({ size: 100, overlap: 10 });
  });

  it('semantic says that it needs a model', async () => {
    await expect(chunk('a', toChunking({ strategy: 'semantic' }), { signal: context.signal, run: context.run })).rejects.toThrow(
      'chunking.strategy: semantic needs an embedding model',
    );
  });

  it('more than 100,000 chunks are refused, by threads too', async () => {
    await expect(chunks('a '.repeat(100_002), { strategy: 'fixed', chunk_size: 1 })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
