import type { CommitOptions, ListCheck, MetaWrite, StoreWrite } from './store.ts';

/** A commit as a value, which has a stored form: to copy many small objects to a thread takes longer. */
export type PackedCommit = {
  /** Scope, key, expected revision, and what is put (a value and when it expires), true for a removal, or null. */
  writes: [string, string, number | null, [Uint8Array, number | null] | true | null][];
  meta: [string, string, string | null][];
  /** Scope, prefix, after, limit, keys. */
  lists: [string, string | null, string | null, number | null, string[]][];
};

type Commit = { readonly writes: readonly StoreWrite[] } & Required<Pick<CommitOptions, 'meta' | 'lists'>>;

/** So many changes are packed in a step. */
const STEP = 1_000;

/** The commit as such a value, in steps. */
export function* packingCommit({ writes, meta, lists }: Commit): Generator<undefined, PackedCommit> {
  const packed: PackedCommit = { writes: [], meta: meta.map(({ name, value, expect = null }) => [name, value, expect]), lists: [] };
  for (const [at, { scope, key, expect = null, put, remove }] of writes.entries()) {
    if (at % STEP === 0) yield;
    packed.writes.push([scope, key, expect, put ? [put.value, put.expiresAt ?? null] : (remove ?? null)]);
  }
  for (const { scope, options, keys } of lists) {
    yield;
    const { prefix = null, after = null, limit = null } = options;
    packed.lists.push([scope, prefix, after, limit, [...keys]]);
  }
  return packed;
}

export function unpackCommit({ writes, meta, lists }: PackedCommit): Commit {
  return {
    writes: writes.map(([scope, key, expect, change]): StoreWrite => {
      const target = { scope, key, expect: expect ?? undefined };
      if (change === null) return target;
      return change === true ? { ...target, remove: true } : { ...target, put: { value: change[0], expiresAt: change[1] ?? undefined } };
    }),
    meta: meta.map(([name, value, expect]): MetaWrite => ({ name, value, expect: expect ?? undefined })),
    lists: lists.map(([scope, prefix, after, limit, keys]): ListCheck => {
      const options = { prefix: prefix ?? undefined, after: after ?? undefined, limit: limit ?? undefined };
      return { scope, options, keys };
    }),
  };
}
