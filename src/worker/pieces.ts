import { breathe } from '../call/breath.ts';
import { isMap } from '../call/check/kind.ts';
import type { Cpu } from '../call/cpu.ts';

/** Items of a list that come together. */
const PIECE = 500;
/** Shorter lists come with the rest. */
const LONG = 2_000;

/** A result on its way: its long lists are empty, and what belongs in them follows in pieces, which are read in turns. */
export interface Pieces {
  readonly rest: unknown;
  readonly lists: readonly { readonly key: string; readonly pieces: readonly Uint8Array<ArrayBuffer>[] }[];
}

/** The result cut into pieces where one of its fields is a long list: read at once, a list of many maps holds the event loop. Undefined where none is. */
export function cut(result: unknown): Pieces | undefined {
  if (!isMap(result)) return undefined;
  const long = Object.entries(result).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].length >= LONG);
  if (long.length === 0) return undefined;
  const { serialize } = process.getBuiltinModule('node:v8');
  const lists = long.map(([key, items]) => ({
    key,
    pieces: Array.from({ length: Math.ceil(items.length / PIECE) }, (_, at) => new Uint8Array(serialize(items.slice(at * PIECE, (at + 1) * PIECE)))),
  }));
  return { rest: { ...result, ...Object.fromEntries(long.map(([key]) => [key, []])) }, lists };
}

/** The result whole again, over several turns of the event loop. */
export async function joined({ rest, lists }: Pieces, cpu: Cpu): Promise<unknown> {
  const { deserialize } = process.getBuiltinModule('node:v8');
  for (const { key, pieces } of lists) {
    const items = (rest as Record<string, unknown[]>)[key] as unknown[];
    for (const piece of pieces) {
      await breathe(cpu);
      items.push(...(deserialize(piece) as unknown[]));
    }
  }
  return rest;
}
