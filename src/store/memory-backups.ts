import type { Soon } from '../call/soon.ts';
import { whenReady } from '../call/soon.ts';
import { doneFor } from './in-turns.ts';
import { type MemoryValues, removeExpired, type Steps } from './memory-values.ts';
import type { BackupHead, BackupNote, Backups, Charge } from './store.ts';

/** What backups are made of and restored to. */
export interface Restorable {
  /** A copy of what is there, which nobody changes. */
  copy(): MemoryValues;
  /** Does it while nobody writes, and then puts what it gives in the place of what is there. Throws LIMIT_EXCEEDED when that is too much, CANCELLED when the call was cancelled meanwhile; then nothing has changed. */
  replace(charge: Charge, now: number, steps: (present: MemoryValues) => Steps<MemoryValues>): Soon<void>;
}

interface Kept {
  readonly head: BackupHead;
  readonly values: MemoryValues;
}

/** Backups of a process that keeps nothing: copies, which share what is still the same. */
export function memoryBackups(store: Restorable, nobody: Charge): Backups {
  const all = new Map<string, Kept>();

  /** What a backup of a copy keeps. */
  function* kept(note: BackupNote, values: MemoryValues): Steps<Kept> {
    yield* removeExpired(values, note.created_at);
    return { head: { ...note, size_bytes: values.bytes, entries: values.count }, values };
  }

  return {
    make: (note, charge = nobody) => whenReady(doneFor(charge, kept(note, store.copy())), (made) => void all.set(note.id, made)),
    check: (id) => (all.has(id) ? true : undefined),
    restore(id, before, charge = nobody) {
      const found = all.get(id);
      if (!found) return undefined;
      let made: Kept | undefined;
      const replaced = store.replace(charge, before.created_at, function* (present) {
        made = yield* kept(before, present);
        return found.values.copy();
      });
      return whenReady(replaced, () => {
        if (made) all.set(before.id, made);
        return true as const;
      });
    },
    heads: () => [...all.values()].map(({ head }) => head),
    remove: (id) => all.delete(id),
  };
}
