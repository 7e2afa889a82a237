import { doneAtOnce } from '../call/breath.ts';
import { uncharged } from '../call/cpu.ts';
import { cancelled } from '../call/run.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ArtifactRecords } from './artifacts.ts';
import { type BlobFiles, memoryBlobs } from './blobs.ts';
import { Changes, idOf, type Moment } from './changes.ts';
import { tenantFull } from './database.ts';
import { doneFor, OneAtATime, type Steps } from './in-turns.ts';
import { memoryArtifacts } from './memory-artifacts.ts';
import { type MemoryBackups, memoryBackups, type Restorable } from './memory-backups.ts';
import { MemoryData } from './memory-data.ts';
import { memorySessions } from './memory-sessions.ts';
import { clearInSteps, commitInSteps, keysInSteps, MemoryValues, removeExpired, scopesInSteps, usageInSteps } from './memory-values.ts';
import type { SessionRecords } from './sessions.ts';
import type { Charge, CommitOptions, ListCheck, ListOptions, Store, StoredEntry, StoreUsage, StoreWrite } from './store.ts';

/** Commits of more changes and checks are made in turns; so many keys are told of one by one. */
const MANY = 500;

/** A store that lives as long as the process; for tests and hosts that keep nothing. */
export class MemoryStore implements Store {
  #values = MemoryValues.empty();
  readonly #changes = new Changes();
  readonly #maxBytes: number | undefined;
  readonly #writes = new OneAtATime();
  /** Nobody's run is charged where none is named. */
  readonly #nobody: Charge = { run: uncharged('memory') };
  readonly blobs: BlobFiles = memoryBlobs();
  readonly #data = new MemoryData(this.blobs, (bytes) => this.#needRoom(bytes));
  readonly backups: MemoryBackups;
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  readonly isRemoved = false;

  /** Values, sessions, artifacts and backups take at most so many bytes together, about; beyond that LIMIT_EXCEEDED. */
  constructor(maxBytes?: number) {
    this.#maxBytes = maxBytes;
    this.sessions = memorySessions(this.#data);
    this.artifacts = memoryArtifacts(this.#data, this.blobs);
    const store: Restorable = {
      copy: () => this.#values.copy(),
      replace: (charge, now, steps) => this.#whenFree(charge, () => this.#inTurns(charge, now, steps)),
      needRoom: (bytes) => this.#needRoom(bytes),
    };
    this.backups = memoryBackups(store, this.#nobody);
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    return this.#values.get(idOf(scope, key), now);
  }

  list(scope: string, options: ListOptions, now: number, charge = this.#nobody): Soon<string[]> {
    return doneFor(charge, keysInSteps(this.#values.copy(), scope, options, now, charge));
  }

  scopes(now: number, charge = this.#nobody): Soon<string[]> {
    return doneFor(charge, scopesInSteps(this.#values.copy(), now, charge));
  }

  usage(now: number, charge = this.#nobody): Soon<StoreUsage> {
    return doneFor(charge, usageInSteps(this.#values.copy(), now));
  }

  meta(name: string): string | undefined {
    return this.#values.meta.get(name);
  }

  commit(writes: readonly StoreWrite[], now: number, { meta = [], lists = [], charge = this.#nobody }: CommitOptions = {}): Soon<boolean> {
    return this.#whenFree(charge, () => {
      if (this.#maxBytes === undefined && isSmall(writes, lists))
        return doneAtOnce(commitInSteps(this.#values, writes, now, { meta, lists }, (id) => this.#note([id])));
      const changed: string[] = [];
      let held = false;
      const steps = function* (values: MemoryValues) {
        held = yield* commitInSteps(values, writes, now, { meta, lists }, (id) => void changed.push(id));
        return values;
      };
      return whenReady(this.#inTurns(charge, now, steps, changed), () => held);
    });
  }

  clear(scope: string, now: number, charge = this.#nobody): Soon<number> {
    return this.#whenFree(charge, () => {
      let count = 0;
      const steps = function* (values: MemoryValues) {
        count = yield* clearInSteps(values, scope, now);
        return values;
      };
      return whenReady(this.#inTurns(charge, now, steps), () => count);
    });
  }

  moment(): Moment {
    return this.#changes.moment(0);
  }

  changedSince(moment: Moment): readonly string[] | undefined {
    return this.#changes.since(moment, 0);
  }

  abandon(): void {}

  close(): void {}

  /** Does it when nobody writes, and lets nobody write until it is done. */
  #whenFree<T>(charge: Charge, work: () => Soon<T>): Soon<T> {
    return this.#writes.whenFree(() => {
      if (charge.signal?.aborted) throw cancelled(charge.signal);
      return work();
    });
  }

  /** Changes a copy over several turns, and puts what comes of it in the place of what is there; `changed` are the keys that then have changed, all where it is not given. */
  #inTurns(charge: Charge, now: number, steps: (values: MemoryValues) => Steps<MemoryValues>, changed?: string[]): Soon<void> {
    return whenReady(doneFor(charge, this.#fitting(now, steps, changed)), (values) => {
      this.#values = values;
      if (changed && changed.length <= MANY) this.#note(changed);
      else this.#changes.noteAll();
    });
  }

  /** What the steps make of a copy, without what has expired where there is else no room. Throws LIMIT_EXCEEDED where there is none even so. */
  *#fitting(now: number, steps: (values: MemoryValues) => Steps<MemoryValues>, changed?: string[]): Steps<MemoryValues> {
    const before = this.#values.size;
    const values = yield* steps(this.#values.copy());
    const more = () => values.size - before;
    if (more() <= 0 || this.#hasRoom(more())) return values;
    yield* removeExpired(values, now, (id) => changed?.push(id));
    if (more() > 0) this.#needRoom(more());
    return values;
  }

  #hasRoom(bytes: number): boolean {
    return this.#maxBytes === undefined || this.#values.size + this.#data.bytes + this.backups.bytes + bytes <= this.#maxBytes;
  }

  /** Throws LIMIT_EXCEEDED where there is no room for so many bytes more. */
  #needRoom(bytes: number): void {
    if (this.#maxBytes !== undefined && !this.#hasRoom(bytes)) throw tenantFull(this.#maxBytes);
  }

  #note(ids: readonly string[]): void {
    for (const id of ids) this.#changes.note(id.slice(0, id.indexOf('\0')), id.slice(id.indexOf('\0') + 1));
  }
}

/** Whether a commit is made at once. */
function isSmall(writes: readonly StoreWrite[], lists: readonly ListCheck[]): boolean {
  return lists.reduce((sum, { keys }) => sum + 1 + keys.length, writes.length) <= MANY;
}
