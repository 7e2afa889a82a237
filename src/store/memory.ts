import { doneInTurns } from '../call/breath.ts';
import { uncharged } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { compareBytes, inByteOrder, orderInSteps } from '../call/text.ts';
import type { ArtifactRecords, StoredContent } from './artifacts.ts';
import { type BlobFiles, memoryBlobs } from './blobs.ts';
import { Changes, type Moment } from './changes.ts';
import { dropUnused, memoryArtifacts } from './memory-artifacts.ts';
import { type MemoryState, memoryBackups } from './memory-backups.ts';
import { type MemorySessions, memorySessions } from './memory-sessions.ts';
import type { SessionRecords } from './sessions.ts';
import {
  type Backups,
  type Charge,
  type CommitOptions,
  type ListCheck,
  type ListOptions,
  newRevision,
  type Store,
  type StoredEntry,
  type StoreUsage,
  type StoreWrite,
  sameKeys,
} from './store.ts';

/** Keys that are looked at between two looks at the clock. */
const STEP = 1_000;

/** A store that lives as long as the process; for tests and hosts that keep nothing. */
export class MemoryStore implements Store {
  #state: MemoryState = { scopes: new Map(), meta: new Map() };
  readonly #changes = new Changes();
  /** Nobody's run is charged where none is named. */
  readonly #nobody: Charge = { run: uncharged('memory') };
  readonly backups: Backups = memoryBackups(
    {
      copy: () => ({ scopes: new Map([...this.#state.scopes].map(([scope, map]) => [scope, new Map(map)])), meta: new Map(this.#state.meta) }),
      exchange: (state) => {
        const before = this.#state;
        this.#state = state;
        this.#changes.noteAll();
        return before;
      },
    },
    this.#nobody,
  );
  readonly blobs: BlobFiles = memoryBlobs();
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  readonly isRemoved = false;

  constructor() {
    const data: MemorySessions = { sessions: new Map() };
    const contents = new Map<string, StoredContent>();
    this.sessions = memorySessions(data, () => dropUnused(data, contents, this.blobs));
    this.artifacts = memoryArtifacts(data, contents, this.blobs);
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    const entry = this.#state.scopes.get(scope)?.get(key);
    return entry && !expired(entry, now) ? entry : undefined;
  }

  list(scope: string, options: ListOptions, now: number, { run }: Charge = this.#nobody): Soon<string[]> {
    return whenReady(doneInTurns(run.cpu, orderInSteps(this.#matching(scope, options, now))), (keys) => keys.slice(0, options.limit));
  }

  scopes(now: number): string[] {
    return inByteOrder([...this.#state.scopes].filter(([, map]) => holdsAny(map, now)).map(([scope]) => scope));
  }

  usage(now: number, { run }: Charge = this.#nobody): Soon<StoreUsage> {
    return doneInTurns(run.cpu, usageInSteps(this.#state, now));
  }

  meta(name: string): string | undefined {
    return this.#state.meta.get(name);
  }

  commit(writes: readonly StoreWrite[], now: number, { meta = [], lists = [] }: CommitOptions = {}): boolean {
    const state = this.#state;
    const holds = (write: StoreWrite) => write.expect === undefined || write.expect === (this.get(write.scope, write.key, now)?.revision ?? 0);
    if (!writes.every(holds) || !meta.every(({ name, expect }) => expect === undefined || expect === (state.meta.get(name) ?? ''))) return false;
    if (!lists.every((list) => this.#listHolds(list, now))) return false;
    for (const { scope, key, put, remove } of writes) {
      if (put) this.#scope(scope).set(key, { value: put.value, revision: newRevision(), expiresAt: put.expiresAt });
      else if (remove) state.scopes.get(scope)?.delete(key);
      this.#changes.note(scope, key);
    }
    for (const { name, value } of meta) state.meta.set(name, value);
    return true;
  }

  clear(scope: string, now: number): number {
    const count = this.#matching(scope, {}, now).length;
    this.#state.scopes.delete(scope);
    this.#changes.noteAll();
    return count;
  }

  moment(): Moment {
    return this.#changes.moment(0);
  }

  changedSince(moment: Moment): readonly string[] | undefined {
    return this.#changes.since(moment, 0);
  }

  abandon(): void {}

  close(): void {}

  #matching(scope: string, { prefix = '', after }: ListOptions, now: number): string[] {
    const keys: string[] = [];
    for (const [key, entry] of this.#state.scopes.get(scope) ?? [])
      if (key.startsWith(prefix) && !expired(entry, now) && (after === undefined || compareBytes(key, after) > 0)) keys.push(key);
    return keys;
  }

  #listHolds({ scope, options, keys }: ListCheck, now: number): boolean {
    return sameKeys(inByteOrder(this.#matching(scope, options, now)).slice(0, options.limit), keys);
  }

  #scope(scope: string): Map<string, StoredEntry> {
    const { scopes } = this.#state;
    const found = scopes.get(scope) ?? new Map<string, StoredEntry>();
    scopes.set(scope, found);
    return found;
  }
}

function expired({ expiresAt }: StoredEntry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function holdsAny(map: ReadonlyMap<string, StoredEntry>, now: number): boolean {
  for (const entry of map.values()) if (!expired(entry, now)) return true;
  return false;
}

function* usageInSteps({ scopes }: MemoryState, now: number): Generator<undefined, StoreUsage> {
  let [entries, bytes, looked, filled] = [0, 0, 0, 0];
  for (const [scope, map] of scopes) {
    const before = entries;
    for (const [key, entry] of map) {
      if (++looked % STEP === 0) yield;
      if (expired(entry, now)) continue;
      entries++;
      bytes += Buffer.byteLength(scope) + Buffer.byteLength(key) + entry.value.length;
    }
    if (entries > before) filled++;
  }
  return { entries, scopes: filled, bytes };
}
