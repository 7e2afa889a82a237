import { compareBytes } from '../call/text.ts';
import { idOf } from './changes.ts';
import type { Steps } from './in-turns.ts';
import { Listing } from './listing.ts';
import { SortedMap } from './sorted-map.ts';
import type { Charge, CommitOptions, ListCheck, ListOptions, StoredEntry, StoreUsage, StoreWrite } from './store.ts';
import { newRevision } from './store.ts';

/** Keys that are looked at between two looks at the clock. */
const STEP = 100;
/** What has expired goes with later commits, so many keys each time beside as many as are written: more than may come. */
const MOST_EXPIRED = 100;
/** What a value takes beside the bytes of its key and its own. */
const EACH_BYTES = 256;

/** Told of each key that is changed, as `idOf` makes it. */
export type Noted = (id: string) => void;

/** The values of a store in memory, by `idOf`; a copy takes no time. */
export class MemoryValues {
  readonly meta: SortedMap<string>;
  readonly #entries: SortedMap<StoredEntry>;
  /** The ids of what expires, behind its time. */
  readonly #expiring: SortedMap<string>;
  #count = 0;
  #bytes = 0;

  private constructor(meta: SortedMap<string>, entries: SortedMap<StoredEntry>, expiring: SortedMap<string>) {
    this.meta = meta;
    this.#entries = entries;
    this.#expiring = expiring;
  }

  static empty(): MemoryValues {
    return new MemoryValues(new SortedMap(), new SortedMap(), new SortedMap());
  }

  copy(): MemoryValues {
    const copy = new MemoryValues(this.meta.copy(), this.#entries.copy(), this.#expiring.copy());
    copy.#count = this.#count;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** How many there are, expired ones included. */
  get count(): number {
    return this.#count;
  }

  /** Of their scopes, keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What they take of the memory, about, bytes. */
  get size(): number {
    return this.#bytes + this.#count * EACH_BYTES;
  }

  get(id: string, now: number): StoredEntry | undefined {
    const entry = this.#entries.get(id);
    return entry && !expired(entry, now) ? entry : undefined;
  }

  set(id: string, entry: StoredEntry): void {
    this.#forget(id, this.#entries.get(id));
    this.#entries.set(id, entry);
    if (entry.expiresAt !== undefined) this.#expiring.set(expiryId(entry.expiresAt, id), id);
    this.#count++;
    this.#bytes += sizeOf(id, entry);
  }

  delete(id: string): void {
    this.#forget(id, this.#entries.get(id));
    this.#entries.delete(id);
  }

  /** From an id on, expired ones included. */
  from(id: string): Generator<[string, StoredEntry]> {
    return this.#entries.from(id);
  }

  /** The ids of some that have expired, those first that did so first. */
  expired(now: number, most: number): string[] {
    const ids: string[] = [];
    for (const [, id] of this.#expiring.from()) {
      const entry = ids.length < most && this.#entries.get(id);
      if (!entry || !expired(entry, now)) break;
      ids.push(id);
    }
    return ids;
  }

  #forget(id: string, entry: StoredEntry | undefined): void {
    if (!entry) return;
    if (entry.expiresAt !== undefined) this.#expiring.delete(expiryId(entry.expiresAt, id));
    this.#count--;
    this.#bytes -= sizeOf(id, entry);
  }
}

/** Makes all changes and removes something of what has expired; or, when something is not as expected, does nothing and gives false. */
export function* commitInSteps(
  values: MemoryValues,
  writes: readonly StoreWrite[],
  now: number,
  { meta = [], lists = [] }: Pick<CommitOptions, 'meta' | 'lists'>,
  noted: Noted,
): Steps<boolean> {
  for (const [at, { scope, key, expect }] of writes.entries()) {
    if (at % STEP === STEP - 1) yield;
    if (expect !== undefined && expect !== (values.get(idOf(scope, key), now)?.revision ?? 0)) return false;
  }
  if (!meta.every(({ name, expect }) => expect === undefined || expect === (values.meta.get(name) ?? ''))) return false;
  for (const list of lists) {
    yield;
    if (!(yield* listHolds(values, list, now))) return false;
  }
  for (const [at, { scope, key, put, remove }] of writes.entries()) {
    if (at % STEP === STEP - 1) yield;
    const id = idOf(scope, key);
    if (put) values.set(id, { value: put.value, revision: newRevision(), expiresAt: put.expiresAt });
    else if (remove) values.delete(id);
    noted(id);
  }
  for (const { name, value } of meta) values.meta.set(name, value);
  for (const [at, id] of values.expired(now, MOST_EXPIRED + writes.length).entries()) {
    if (at % STEP === STEP - 1) yield;
    values.delete(id);
    noted(id);
  }
  return true;
}

/** Removes all that has expired. */
export function* removeExpired(values: MemoryValues, now: number, noted?: Noted): Steps<void> {
  for (let gone: string[] = []; ; yield) {
    gone = values.expired(now, STEP);
    for (const id of gone) {
      values.delete(id);
      noted?.(id);
    }
    if (gone.length < STEP) return;
  }
}

/** Keys in byte order. */
export function* keysInSteps(values: MemoryValues, scope: string, options: ListOptions, now: number, charge?: Charge): Steps<string[]> {
  using keys = new Listing(options, charge);
  let looked = 0;
  for (const key of keysOf(values, scope, options, now)) {
    if (keys.full) break;
    if (key !== undefined) keys.add(key);
    if (++looked % STEP === 0) yield;
  }
  return keys.texts;
}

/** The scopes that hold anything. */
export function* scopesInSteps(values: MemoryValues, now: number, charge?: Charge): Steps<string[]> {
  using scopes = new Listing({}, charge);
  for (let from = '', looked = 0, found = true; found; ) {
    found = false;
    for (const [id, entry] of values.from(from)) {
      if (++looked % STEP === 0) yield;
      if (expired(entry, now)) continue;
      const scope = id.slice(0, id.indexOf('\0'));
      scopes.add(scope);
      // Behind every id of this scope.
      from = `${scope}\x01`;
      found = true;
      break;
    }
  }
  return scopes.texts;
}

/** What is stored; changes `values`, which is a copy. */
export function* usageInSteps(values: MemoryValues, now: number): Steps<StoreUsage> {
  yield* removeExpired(values, now);
  const scopes = yield* scopesInSteps(values, now);
  return { entries: values.count, scopes: scopes.length, bytes: values.bytes };
}

/** Removes a scope and gives how many values it had. */
export function* clearInSteps(values: MemoryValues, scope: string, now: number): Steps<number> {
  let [count, looked] = [0, 0];
  const before = values.copy();
  for (const [id, entry] of before.from(idOf(scope, ''))) {
    if (!id.startsWith(idOf(scope, ''))) break;
    if (!expired(entry, now)) count++;
    values.delete(id);
    if (++looked % STEP === 0) yield;
  }
  return count;
}

/** Live keys in byte order, and undefined for each that has expired. */
function* keysOf(values: MemoryValues, scope: string, { prefix = '', after }: ListOptions, now: number): Generator<string | undefined> {
  const behind = after !== undefined && compareBytes(after, prefix) >= 0;
  const start = idOf(scope, prefix);
  for (const [id, entry] of values.from(behind ? idOf(scope, after) : start)) {
    if (!id.startsWith(start)) return;
    const key = id.slice(scope.length + 1);
    yield expired(entry, now) || (behind && key === after) ? undefined : key;
  }
}

function* listHolds(values: MemoryValues, { scope, options, keys }: ListCheck, now: number): Steps<boolean> {
  let [found, looked] = [0, 0];
  for (const key of keysOf(values, scope, options, now)) {
    if (found === options.limit) break;
    if (++looked % STEP === 0) yield;
    if (key !== undefined && key !== keys[found++]) return false;
  }
  return found === keys.length;
}

function expired({ expiresAt }: StoredEntry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

/** Ids behind when they expire, in the order of times. */
export function expiryId(expiresAt: number, id: string): string {
  return String(Math.floor(Math.min(expiresAt, Number.MAX_SAFE_INTEGER))).padStart(16, '0') + id;
}

function sizeOf(id: string, { value }: StoredEntry): number {
  return Buffer.byteLength(id) - 1 + value.length;
}
