import type { Soon } from '../call/soon.ts';
import { whenReady } from '../call/soon.ts';
import { doneFor, type Steps } from './in-turns.ts';
import { type MemoryValues, removeExpired } from './memory-values.ts';
import type { BackupHead, BackupNote, Backups, Charge } from './store.ts';

/** What backups are made of and restored to. */
export interface Restorable {
  /** A copy of what is there, which nobody changes. */
  copy(): MemoryValues;
  /** Does it while nobody writes, and then puts what it gives in the place of what is there. Throws LIMIT_EXCEEDED when that is too much, CANCELLED when the call was cancelled meanwhile; then nothing has changed. */
  replace(charge: Charge, now: number, steps: (present: MemoryValues) => Steps<MemoryValues>): Soon<void>;
  /** Throws LIMIT_EXCEEDED where there is no room for so many bytes more. */
  needRoom(bytes: number): void;
}

export interface MemoryBackups extends Backups {
  /** What they take together, as if they shared nothing with what is there: each may soon be the only one that has its values. */
  readonly bytes: number;
}

interface Kept {
  readonly head: BackupHead;
  readonly values: MemoryValues;
}

/** Backups of a process that keeps nothing: copies, which share what is still the same. */
export function memoryBackups(store: Restorable, nobody: Charge): MemoryBackups {
  const all = new Map<string, Kept>();
  let bytes = 0;

  /** What a backup of a copy keeps. */
  function* kept(note: BackupNote, values: MemoryValues): Steps<Kept> {
    yield* removeExpired(values, note.created_at);
    return { head: { ...note, size_bytes: values.bytes, entries: values.count }, values };
  }

  function add(made: Kept): void {
    bytes += made.values.size;
    all.set(made.head.id, made);
  }

  return {
    get bytes() {
      return bytes;
    },
    make: (note, charge = nobody) =>
      whenReady(doneFor(charge, kept(note, store.copy())), (made) => {
        store.needRoom(made.values.size);
        add(made);
      }),
    check: (id) => (all.has(id) ? true : undefined),
    restore(id, before, charge = nobody) {
      const found = all.get(id);
      if (!found) return undefined;
      let made: Kept | undefined;
      const replaced = store.replace(charge, before.created_at, function* (present) {
        const { size } = present;
        made = yield* kept(before, present);
        store.needRoom(made.values.size + Math.max(0, found.values.size - size));
        return found.values.copy();
      });
      return whenReady(replaced, () => {
        if (made) add(made);
        return true as const;
      });
    },
    heads: () => [...all.values()].map(({ head }) => head),
    remove(id) {
      bytes -= all.get(id)?.values.size ?? 0;
      return all.delete(id);
    },
  };
}
