import type { PreparedDocument } from '../src/rag/knowledge.ts';
import { Top } from '../src/vector/top.ts';
import { makeVectors, type Shape } from './vectors.ts';

/** What every store is measured with. */
export const DIMENSIONS = 384;
export const NEIGHBOURS = 10;
export const QUERIES = 100;
/** Queries whose answers are compared with the truth. */
export const COMPARED = 50;
/** A hundredth of the documents has each group; searches under a filter want this one. */
export const GROUP = 7;
const GROUPS = 100;
export const PER_DOCUMENT = 10;

/** Vectors to store, with a text and a group for each, and vectors to search for, which are of the same kind. */
export interface VectorSet {
  readonly count: number;
  readonly dimensions: number;
  vector(at: number): Float32Array;
  text(at: number): string;
  group(at: number): number;
  query(at: number): Float32Array;
  /** The places of the nearest of all vectors for each compared query, and of the nearest of the group, by plain comparison. */
  readonly nearest: { readonly all: readonly ReadonlySet<number>[]; readonly filtered: readonly ReadonlySet<number>[] };
}

/** So many made vectors and the queries for them. */
export function vectorSet(count: number, shape: Shape): VectorSet {
  const vectors = makeVectors(count + QUERIES, DIMENSIONS, shape);
  const vector = (at: number) => vectors.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS);
  const query = (at: number) => vector(count + at);
  const group = (at: number) => Math.floor(at / PER_DOCUMENT) % GROUPS;
  const nearest = { all: [] as Set<number>[], filtered: [] as Set<number>[] };
  for (let asked = 0; asked < COMPARED; asked++) {
    const wanted = query(asked);
    const [all, filtered] = [new Top(NEIGHBOURS), new Top(NEIGHBOURS)];
    for (let at = 0; at < count; at++) {
      let score = 0;
      for (let d = 0, from = at * DIMENSIONS; d < DIMENSIONS; d++) score += (wanted[d] as number) * (vectors[from + d] as number);
      all.add(at, score);
      if (group(at) === GROUP) filtered.add(at, score);
    }
    nearest.all.push(new Set(all.found().map(({ key }) => key)));
    nearest.filtered.push(new Set(filtered.found().map(({ key }) => key)));
  }
  const text = (at: number) => `${at} is the number of this text about topic${at % 89} and part${at % PER_DOCUMENT}. `;
  return { count, dimensions: DIMENSIONS, vector, text, group, query, nearest };
}

/** Neighbouring vectors as a document for the knowledge store. */
export function documentOf({ text, group, vector }: VectorSet, from: number): PreparedDocument {
  const texts = Array.from({ length: PER_DOCUMENT }, (_, at) => text(from + at));
  let start = 0;
  const chunks = texts.map((one, index) => ({ index, text: one, start, stop: (start += one.length), vector: vector(from + index) }));
  return { id: `d${from}`, hash: `h${from}`, format: 'text', metadata: { group: group(from), source: 'bench' }, text: texts.join(''), chunks };
}
