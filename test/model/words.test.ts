import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCorpus } from '../../bench/retrieval/corpus.ts';
import { seeded } from '../../bench/retrieval/evaluate.ts';
import { hashEmbed } from '../../src/model/hash/embed.ts';
import { createLocalModel } from '../../src/model/local.ts';
import { wordsEmbed } from '../../src/model/words/embed.ts';
import { countStems } from '../../src/model/words/stems.ts';
import { openTable, packTable, type WordTable, wordTable } from '../../src/model/words/table.ts';

const home = new URL('../../src/model/words/', import.meta.url);
const bytes = new Uint8Array(readFileSync(new URL('table.bin', home)));
const manifest = JSON.parse(readFileSync(new URL('manifest.json', home), 'utf8')) as {
  table: { words: number; dimensions: number; size: number; sha256: string };
  sources: { name: string; version: string; sha256: string }[];
};

type Embed = (text: string) => Float32Array;
const words: Embed = (text) => wordsEmbed(text, wordTable(), 'query');
const spellings: Embed = (text) => hashEmbed(text, 'query');
const similarity = (embed: Embed, a: string, b: string) => {
  const [one, two] = [embed(a), embed(b)];
  return one.reduce((sum, value, at) => sum + value * (two[at] as number), 0);
};

/** A text, the same in other words, and something else. */
const SAID_TWICE: [string, string, string][] = [
  ['delete the picture', 'remove an image', 'increase a timeout'],
  ['an automobile accident', 'crash of a car', 'the colour of a flower'],
  ['a physician cured the illness', 'treatment of a disease by a doctor', 'the price of a ferry ticket'],
  ['verify who the user is', 'authentication of an identity', 'the size of a font'],
];

describe('local/words', () => {
  it.each(SAID_TWICE)('finds %j nearer to %j than to %j', (text, again, other) => {
    expect(similarity(words, text, again)).toBeGreaterThan(similarity(words, text, other) + 0.04);
  });

  it('does so by its table: spellings alone, and a table of vectors that mean nothing, tell hardly any of them apart', () => {
    const random = seeded(1);
    const vectors = Float32Array.from({ length: wordList.length * 256 }, () => random() - 0.5);
    const sabotaged = openTable(packTable(wordList, vectors, 256));
    for (const embed of [spellings, (text: string) => wordsEmbed(text, sabotaged, 'query')]) {
      const told = SAID_TWICE.filter(([text, again, other]) => similarity(embed, text, again) > similarity(embed, text, other) + 0.04);
      expect(told.length).toBeLessThan(2);
    }
  });
  const wordList = [...new Set(SAID_TWICE.flat().flatMap((text) => [...countStems(text).keys()]))];

  it('gives every text a finite vector of length 1, the same each time', () => {
    const odd = fc.constantFrom('', ' ', '\0', '—', 'the', '\ud800', 'delete', '漢', 'x'.repeat(500));
    fc.assert(
      fc.property(fc.oneof(fc.string(), odd), (text) => {
        const vector = words(text);
        const square = vector.reduce((sum, value) => sum + value * value, 0);
        return vector.length === 1_280 && Math.abs(square - 1) < 1e-5 && words(text).every((value, at) => value === vector[at]);
      }),
    );
  });

  it('is the same on every machine', () => {
    const vector = words('Delete the picture of a Größe, 漢字, after maxRetries.');
    const places = [...vector].map((value, at) => [at, value] as const).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    expect(places.slice(0, 3).map(([at, value]) => [at, value.toFixed(4)])).toEqual([
      [149, '0.3041'],
      [461, '-0.3041'],
      [495, '-0.3041'],
    ]);
  });

  it('knows words that are not in its table by their spelling', () => {
    expect(similarity(words, 'Quixlplatz', 'the Quixlplatz')).toBeGreaterThan(0.99);
    expect(similarity(words, 'Quixlplatz', 'Brazzenflip')).toBeLessThan(0.1);
    expect(similarity(words, '東京の天気', '天気は東京')).toBeGreaterThan(similarity(words, '東京の天気', '大阪に行く') + 0.2);
    expect(
      words('Quixlplatz')
        .subarray(1_024)
        .every((value) => value === 0),
    ).toBe(true);
  });

  it('reads names by their parts', () => {
    expect([...countStems('maxRetries of parseJSONText')]).toEqual([
      ['max', 1],
      ['retry', 1],
      ['parse', 1],
      ['json', 1],
      ['text', 1],
    ]);
  });

  it('is a model of 1,280 dimensions', async () => {
    const model = createLocalModel('local/words');
    expect(model?.dimensions).toBe(1_280);
    expect(await model?.embed(['delete'], AbortSignal.timeout(10_000), undefined, 'query')).toEqual([words('delete')]);
    expect(createLocalModel('local/other')).toBeUndefined();
    expect(createLocalModel('toString')).toBeUndefined();
  });
});

describe('the table of words', () => {
  it('is the one that its manifest tells of', () => {
    const { words: count, dimensions, size, sha256 } = manifest.table;
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([size, sha256]);
    expect(wordTable()).toMatchObject({ count, dimensions });
  });

  it('is learned from the packages that its maker names, and from none whose text is judged', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../../tools/words/package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.fromEntries(manifest.sources.map(({ name, version }) => [name, version]))).toEqual(dependencies);
    for (const { sha256 } of manifest.sources) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const judged = new Set(readCorpus().map(({ source }) => /^(?:@[^/]+\/)?[^/]+/.exec(source)?.[0]));
    expect(judged.size).toBeGreaterThan(30);
    expect(Object.keys(dependencies).filter((name) => judged.has(name))).toEqual([]);
  });

  const read = (table: WordTable, word: string) => {
    const sums = new Float64Array(table.dimensions);
    table.add(word, 1, sums);
    return [...sums];
  };

  it('gives back what was packed, nearly, and nothing for other words', () => {
    const table = openTable(packTable(['one', 'two', 'three'], Float32Array.from([1, -1, 0, 2, 0.5, -0.25]), 2));
    expect(table.count).toBe(3);
    for (const [word, vector] of Object.entries({ one: [1, -1], two: [0, 2], three: [0.5, -0.25] }))
      for (const [at, value] of read(table, word).entries()) expect(Math.abs(value - (vector[at] as number))).toBeLessThan(0.35);
    expect(read(table, 'four')).toEqual([0, 0]);
  });

  it('does not depend on where in memory it lies', () => {
    const packed = packTable(['one'], Float32Array.from([1, -1]), 2);
    const shifted = new Uint8Array(packed.length + 1).subarray(1);
    shifted.set(packed);
    expect(read(openTable(shifted), 'one')).toEqual(read(openTable(packed), 'one'));
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /it has 0 bytes/],
    ['something else', new Uint8Array(64), /it is no such table/],
    ['cut short', bytes.subarray(0, -1), /it has \d+ bytes where \d+ were expected/],
    ['one bit of it changed', bytes.with(70_001, (bytes[70_001] as number) ^ 1), /its check sum is wrong/],
  ])('is refused in one sentence when it is %s', (_, wrong, why) => {
    expect(() => openTable(wrong)).toThrow(expect.objectContaining({ code: 'INTERNAL', message: expect.stringMatching(why) }));
    expect(() => openTable(wrong)).toThrow(/^the table of words cannot be used: [^;]+; install llmspell again$/);
    expect(openTable(bytes).count).toBe(manifest.table.words);
  });
});
