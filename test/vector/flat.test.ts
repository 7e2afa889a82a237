import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelModule } from '../../src/vector/assemble.ts';
import { checkKernel, Matrix } from '../../src/vector/flat.ts';
import { KERNEL } from '../../src/vector/kernel.ts';
import { bytesOf, comparable } from '../../src/vector/rows.ts';
import { Top } from '../../src/vector/top.ts';
import { type Metric, scoreOf } from '../../src/vector/vector.ts';

const number = fc.float({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 });
const vectors = fc.integer({ min: 1, max: 70 }).chain((dimensions) =>
  fc.record({
    query: fc.array(number, { minLength: dimensions, maxLength: dimensions }),
    rows: fc.array(fc.array(number, { minLength: dimensions, maxLength: dimensions }), { maxLength: 40 }),
  }),
);
const metrics: Metric[] = ['dot', 'l2', 'cosine'];

function matrixOf(rows: readonly Float32Array[], metric: Metric, dimensions: number, first = 1): Matrix {
  const matrix = new Matrix(dimensions, metric);
  rows.forEach((row, at) => matrix.add(first + at, bytesOf(row)));
  return matrix;
}

describe('the vector kernel', () => {
  it('is the committed text assembled', async () => {
    expect(readFileSync(new URL('../../src/vector/kernel.ts', import.meta.url), 'utf8')).toBe(await kernelModule());
  });

  it.each(metrics)('gives the scores of plain code: %s', async (metric) => {
    await fc.assert(
      fc.asyncProperty(vectors, async ({ query, rows }) => {
        const floats = rows.map((row) => Float32Array.from(row));
        const asked = Float32Array.from(query);
        const found = await matrixOf(floats, metric, query.length).search(asked, rows.length + 1);
        expect(found.map(({ key }) => key).sort((a, b) => a - b)).toEqual(rows.map((_, at) => at + 1));
        for (const { key, score } of found) {
          const row = floats[key - 1] as Float32Array;
          const size = row.reduce(
            (sum, value, at) => sum + (metric === 'l2' ? (value - (asked[at] as number)) ** 2 : Math.abs(value * (asked[at] as number))),
            0,
          );
          expect(Math.abs(score - scoreOf(metric, asked, row))).toBeLessThanOrEqual(1e-5 * size + 1e-30);
        }
        expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
      }),
      { numRuns: 80 },
    );
  });

  it('that computes something else is refused with a sentence', async () => {
    const { default: start } = await import('wabt');
    const wat = readFileSync(new URL('../../src/vector/kernel.wat', import.meta.url), 'utf8');
    const wabt = await start();
    const wrong = (from: string, to: string) =>
      new WebAssembly.Module(new Uint8Array(wabt.parseWat('k', wat.replace(from, to), { simd: true }).toBinary({}).buffer));
    expect(() => checkKernel(new WebAssembly.Module(new Uint8Array(Buffer.from(KERNEL, 'base64'))))).not.toThrow();
    for (const [from, to] of [
      ['(f32x4.mul (v128.load offset=48', '(f32x4.add (v128.load offset=48'],
      ['(f32.neg (call $sum', '(f32.abs (call $sum'],
      ['(f32x4.extract_lane 3', '(f32x4.extract_lane 2'],
      ['i32.load (i32.add (local.get $list)', 'i32.load offset=4 (i32.add (local.get $list)'],
    ] as const)
      expect(() => checkKernel(wrong(from, to))).toThrow('the vector kernel of this installation computes wrong values');
  });
});

describe('a matrix', () => {
  it('finds what was added and not removed, among some or all, with huge keys', async () => {
    const first = 2 ** 52;
    const rows = Array.from({ length: 5_000 }, (_, at) => Float32Array.of(at, 1));
    const matrix = matrixOf(rows, 'dot', 2, first);
    const best = async (limit: number) => (await matrix.search(Float32Array.of(1, 0), limit)).map(({ key }) => key - first);
    expect(await best(3)).toEqual([4_999, 4_998, 4_997]);
    matrix.remove(first + 4_998, first + 4_999);
    expect(await best(2)).toEqual([4_997, 4_996]);
    expect((await matrix.searchAmong(Float32Array.of(1, 0), 9, [first + 7, first + 4_999, first + 9_999, first + 3])).map(({ key }) => key - first)).toEqual([
      7, 3,
    ]);
    matrix.remove(first + 100, first + 4_000);
    matrix.add(first + 5_000, bytesOf(Float32Array.of(-1, 0)));
    expect(matrix.count).toBe(5_000 - 2 - 3_901 + 1);
    expect(matrix.keys().length).toBe(matrix.count);
    expect((await best(10_000)).slice(-101)).toEqual([...Array.from({ length: 100 }, (_, at) => 99 - at), 5_000]);
    expect(() => matrix.add(first, bytesOf(Float32Array.of(1, 2)))).toThrow('does not fit behind');
    expect(() => matrix.add(first + 9_000, bytesOf(Float32Array.of(1)))).toThrow('does not fit behind');
  });

  it('lets the event loop turn while it searches much, and answers searches that overlap and rows that come meanwhile', async () => {
    const dimensions = 2_048;
    const matrix = new Matrix(dimensions, 'dot');
    const row = new Float32Array(dimensions);
    for (let key = 1; key <= 9_000; key++) {
      row[0] = key;
      row[1] = -key;
      matrix.add(key, bytesOf(row));
    }
    const ask = (at: number) =>
      matrix.search(
        Float32Array.from({ length: dimensions }, (_, d) => Number(d === at)),
        1,
      );
    let turns = 0;
    const turn = setImmediate(() => turns++);
    const both = Promise.all([ask(0), ask(1)]);
    matrix.remove(9_000, 9_000);
    expect((await both).map(([one]) => one?.key)).toEqual([8_999, 1]);
    expect(turns).toBe(1);
    clearImmediate(turn);
  });
});

describe('the best so many', () => {
  it('are the first of all sorted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 30 }), (scores, limit) => {
        const top = new Top(limit);
        scores.forEach((score, key) => top.add(key, score));
        const sorted = scores.map((score, key) => ({ key, score })).sort((a, b) => b.score - a.score || a.key - b.key);
        expect(top.found()).toEqual(sorted.slice(0, limit));
      }),
    );
  });
});

describe('vectors', () => {
  it('that cannot be compared are refused with their place', () => {
    const of = (...values: number[]) => Float32Array.from(values);
    expect(() => comparable(of(1, 2), 3, 'dot', 'v')).toThrow('v: expected 3 numbers, got 2');
    expect(() => comparable(of(1, Number.NaN), 2, 'l2', 'v')).toThrow('v: expected finite numbers, got NaN at 2');
    expect(() => comparable(of(Number.NEGATIVE_INFINITY, 1), 2, 'dot', 'v')).toThrow('v: expected finite numbers, got -Infinity at 1');
    expect(() => comparable(of(0, 0), 2, 'cosine', 'v')).toThrow('v: expected a vector with a direction, got only zeros');
    expect(() => comparable(of(3e38, 3e38), 2, 'dot', 'v')).toThrow('v: expected a length below 1e19');
    expect(comparable(of(0, 0), 2, 'l2', 'v')).toEqual(of(0, 0));
    expect(comparable(of(3e38, 0), 2, 'cosine', 'v')).toEqual(of(1, 0));
    expect(comparable(of(0, 1e-44), 2, 'cosine', 'v')[1]).toBe(1);
  });
});
