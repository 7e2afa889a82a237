/** One measured line; a ratio is the peer's value over ours, so more is better for us. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What must hold on a quiet machine. */
  readonly bar?: number;
  readonly peer?: string;
  readonly peer_value?: number;
  readonly ratio?: number;
  /** Whether the README shows it; the guide shows all. */
  readonly headline?: true;
}

/** The median of several measurements of some work, in µs for one of `count` operations. */
export async function median(times: number, count: number, work: () => unknown): Promise<number> {
  return (await medians(times, count, [work]))[0] as number;
}

/** As above of several works in turn, for a machine whose speed changes meanwhile. */
export async function medians(times: number, count: number, works: readonly (() => unknown)[]): Promise<number[]> {
  const all = works.map((): number[] => []);
  for (let i = 0; i < times; i++) {
    for (const [at, work] of works.entries()) {
      const started = performance.now();
      await work();
      all[at]?.push(((performance.now() - started) * 1000) / count);
    }
  }
  return all.map(middleOf);
}

/** The median of some numbers. */
export function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

/** A row with its peer. */
export function row(name: string, value: number, unit: string, bar?: number, peer?: readonly [name: string, value: number]): Row {
  return { name, value, unit, ...(bar !== undefined && { bar }), ...(peer && { peer: peer[0], peer_value: peer[1], ratio: peer[1] / value }) };
}

/** The same row, for the README too. */
export function headline(one: Row): Row {
  return { ...one, headline: true };
}
