import type { Index } from 'usearch';
import type { Found, Metric } from './vector.ts';

/** The package `usearch`, which is optional. */
export type Usearch = typeof import('usearch');

/** What a graph index is made with; an index made with other settings is another index. */
export interface GraphSettings {
  readonly dimensions: number;
  readonly metric: Metric;
  /** Neighbours of each vector in the graph. */
  readonly m: number;
  readonly ef_construction: number;
  readonly ef_search: number;
}

/** Loads the graph index on first use; undefined where the optional package is not installed or has no build for this machine. */
export async function loadUsearch(): Promise<Usearch | undefined> {
  try {
    return await import('usearch');
  } catch {
    return undefined;
  }
}

/** A hierarchical graph of vectors (Malkov and Yashunin, 2018) for approximate search: it names candidates, whose exact scores the caller computes. */
export class Graph {
  readonly #index: Index;
  readonly #metric: Metric;

  constructor(library: Usearch, settings: GraphSettings) {
    this.#metric = settings.metric;
    const metrics = { cosine: 'cos', dot: 'ip', l2: 'l2sq' } as const;
    this.#index = new library.Index({
      dimensions: settings.dimensions,
      metric: metrics[settings.metric] as never,
      // Unit vectors lose nothing that counts in 16 bits; others may have any size.
      quantization: (settings.metric === 'cosine' ? 'f16' : 'f32') as never,
      connectivity: settings.m,
      expansion_add: settings.ef_construction,
      expansion_search: settings.ef_search,
      multi: false,
    });
  }

  get count(): number {
    return this.#index.size();
  }

  get dimensions(): number {
    return this.#index.dimensions();
  }

  /** Adds vectors, one behind the other in `vectors`. */
  add(keys: readonly number[], vectors: Float32Array, threads: number): void {
    this.#index.add(BigUint64Array.from(keys, BigInt), vectors, threads);
  }

  /** About the nearest vectors, best first; their scores are wrong by `rounding` at most. */
  search(query: Float32Array, limit: number): Found[] {
    const most = Math.min(limit, this.count);
    if (most === 0) return [];
    const { keys, distances } = this.#index.search(query, most, 1);
    const one = this.#metric === 'l2' ? 0 : 1;
    return Array.from(keys, (key, at) => ({ key: Number(key), score: one - (distances[at] as number) }));
  }

  /** By how much a score may be wrong: two unit vectors in 16 bits have a product that is off by 2⁻¹¹ at most, others are kept as they are. */
  rounding(score: number): number {
    return this.#metric === 'cosine' ? 2 ** -11 : 1e-4 * Math.abs(score);
  }

  /** Which of the keys are absent. */
  missing(keys: readonly number[]): number[] {
    const there = this.#index.contains(keys.map(BigInt)) as boolean[];
    return keys.filter((_, at) => !there[at]);
  }

  save(path: string): void {
    this.#index.save(path);
  }

  /** Reads a file into memory, so that more can be added. */
  load(path: string): void {
    this.#index.load(path);
  }

  /** Maps a file that nobody changes any more; nothing can be added. */
  view(path: string): void {
    this.#index.view(path);
  }
}
