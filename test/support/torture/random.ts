import { seededRandom } from '../../../src/call/run.ts';

/** Random choices that a seed repeats. */
export interface Random {
  /** An integer from 0 to below `end`. */
  below(end: number): number;
  of<T>(list: readonly T[]): T;
  list<T>(length: number, make: () => T): T[];
}

export function random(seed: number): Random {
  const next = seededRandom(seed);
  const below = (end: number) => Math.floor(next() * end);
  return { below, of: (list) => list[below(list.length)] as (typeof list)[number], list: (length, make) => Array.from({ length }, make) };
}
