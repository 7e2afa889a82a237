import { breathe, doneInTurns, inOneTurn } from '../call/breath.ts';
import type { Context } from '../call/context.ts';
import { eachSoon, type Soon, whenReady } from '../call/soon.ts';
import { compareBytes, orderInSteps } from '../call/text.ts';
import { ScriptError } from '../errors.ts';
import { idOf, type Moment, sameMoment } from '../store/changes.ts';
import type { ListCheck, ListOptions, Store, StoredEntry, StoreWrite } from '../store/store.ts';

type Buffered = { readonly value: Uint8Array; readonly expiresAt: number | undefined } | 'removed';
type Read = { readonly scope: string; readonly key: string; readonly revision: number; readonly bytes: number; readonly expiresAt: number | undefined };

/** An operation of a transaction, of which hooks and subscribers hear when it has held. */
export interface Done {
  readonly verb: 'save' | 'load' | 'delete';
  /** What the script named, and what its hooks made of it. */
  readonly given: { readonly scope: string; readonly key: string };
  readonly input: { readonly scope: string; readonly key: string };
  /** The stored form of what was saved or loaded. */
  readonly bytes: Uint8Array | undefined;
  readonly deleted: boolean;
}

/** What a transaction may read and save together, bytes; all of it is kept until it ends. */
const MOST_BYTES = 32 * 2 ** 20;
/** So many keys of a list are looked at between two looks at the clock. */
const STEP = 1_000;
/** What is counted for each read, write and operation beside the bytes of keys and values. */
export const EACH_BYTES = 1_024;

/**
 * An optimistic transaction (Kung and Robinson 1981): reads note revisions, writes are collected, and the commit holds only if nothing that
 * was read has changed. After each new read the earlier ones are looked at again where the store has changed, so that all of them are of one moment.
 */
export class Transaction {
  readonly tenant: string;
  readonly #open: () => Store;
  readonly #now: number;
  readonly #context: Pick<Context, 'run' | 'signal' | 'method'>;
  readonly #reads = new Map<string, Read>();
  readonly #lists = new Map<string, ListCheck>();
  readonly #writes = new Map<string, { scope: string; key: string; change: Buffered }>();
  /** What is told of when the commit has held. */
  readonly done: Done[] = [];
  /** At that moment everything was as it was read. */
  #held: Moment | undefined;
  #bytes = 0;
  /** Set when what it has read is no longer so: its function runs again, and a script sees the error only if it catches it. */
  stale = false;

  /** `open` gives the tenant's store, and is asked each time: it may be closed while the function waits. `context` is the call that it belongs to. */
  constructor(tenant: string, open: () => Store, now: number, context: Pick<Context, 'run' | 'signal' | 'method'>) {
    this.tenant = tenant;
    this.#open = open;
    this.#now = now;
    this.#context = context;
  }

  get #store(): Store {
    return this.#open();
  }

  /** The entry as this transaction sees it. Throws CONFLICT when what was read has changed, LIMIT_EXCEEDED when it keeps too much. */
  get(scope: string, key: string): Soon<{ value: Uint8Array; expiresAt: number | undefined } | undefined> {
    const written = this.#writes.get(idOf(scope, key))?.change;
    if (written) return written === 'removed' ? undefined : written;
    this.#held ??= this.#store.moment();
    return whenReady(this.#store.get(scope, key, this.#now), (entry) => this.#seen(scope, key, entry));
  }

  /** When the entry expires, without reading it twice. */
  expiry(scope: string, key: string): Soon<number | undefined> {
    const id = idOf(scope, key);
    const known = this.#writes.has(id) ? undefined : this.#reads.get(id);
    return known ? known.expiresAt : whenReady(this.get(scope, key), (entry) => entry?.expiresAt);
  }

  put(scope: string, key: string, value: Uint8Array, expiresAt: number | undefined): void {
    this.keep(EACH_BYTES + key.length + value.length);
    this.#writes.set(idOf(scope, key), { scope, key, change: { value, expiresAt } });
  }

  remove(scope: string, key: string): void {
    this.keep(EACH_BYTES + key.length);
    this.#writes.set(idOf(scope, key), { scope, key, change: 'removed' });
  }

  /** Keys with this transaction's own writes among them. */
  list(scope: string, { prefix = '', after, limit }: ListOptions): Soon<string[]> {
    this.#held ??= this.#store.moment();
    const own = [...this.#writes.values()].filter((write) => write.scope === scope && write.key.startsWith(prefix));
    const removed = new Set(own.filter(({ change }) => change === 'removed').map(({ key }) => key));
    const options = { prefix, after, limit: limit === undefined ? undefined : limit + removed.size };
    return whenReady(this.#store.list(scope, options, this.#now, this.#context), (keys) =>
      whenReady(this.#listed({ scope, options, keys }), () => {
        if (own.length === 0) return keys;
        const put = own.filter(({ key, change }) => change !== 'removed' && (after === undefined || compareBytes(key, after) > 0));
        return this.#inTurns(
          together(
            keys,
            put.map(({ key }) => key),
            removed,
            limit,
          ),
        );
      }),
    );
  }

  /** Counts what is kept until `end`: an operation, or so many bytes. Throws LIMIT_EXCEEDED for too much, of this transaction or of all that the run keeps. */
  keep(bytes: number): void {
    if (this.#bytes + bytes > MOST_BYTES)
      throw new ScriptError(
        'LIMIT_EXCEEDED',
        `State.transaction: fn: what it reads and saves would take more than ${MOST_BYTES / 2 ** 20} MB together; make several transactions of it`,
      );
    this.#context.run.kept.count(this.#context.method, bytes);
    this.#bytes += bytes;
  }

  /** Lets go of what it has kept; nothing may be done with it afterwards. */
  end(): void {
    this.#context.run.kept.release(this.#bytes);
    this.#bytes = 0;
  }

  /** False when something that was read has changed; else everything is saved. */
  async commit(): Promise<boolean> {
    if (this.stale) return false;
    const writes: StoreWrite[] = [];
    const { cpu } = this.#context.run;
    for (const [id, { scope, key, revision, bytes }] of this.#reads) {
      await breathe(cpu);
      if (!this.#writes.has(id)) writes.push({ scope, key, expect: revision, expectBytes: bytes });
    }
    for (const [id, { scope, key, change }] of this.#writes) {
      await breathe(cpu);
      const expect = this.#reads.get(id)?.revision;
      writes.push(change === 'removed' ? { scope, key, remove: true, expect } : { scope, key, put: change, expect });
    }
    const lists = [...this.#lists.values()];
    if (writes.length + lists.length === 0) return true;
    return inOneTurn(cpu, () => this.#store.commit(writes, this.#now, { lists, charge: this.#context }));
  }

  #seen(scope: string, key: string, entry: StoredEntry | undefined): Soon<StoredEntry | undefined> {
    const id = idOf(scope, key);
    const known = this.#reads.get(id);
    const revision = entry?.revision ?? 0;
    if (known) return known.revision === revision ? entry : this.#conflict();
    this.keep(EACH_BYTES + key.length);
    this.#reads.set(id, { scope, key, revision, bytes: entry?.value.length ?? 0, expiresAt: entry?.expiresAt });
    return whenReady(this.#settle(), () => entry);
  }

  #listed(list: ListCheck): Soon<void> {
    const id = JSON.stringify([list.scope, list.options]);
    const known = this.#lists.get(id);
    if (known) return whenReady(this.#inTurns(same(known.keys, list.keys)), (isSame) => (isSame ? undefined : this.#conflict()));
    return whenReady(this.#inTurns(lengths(list.keys)), (length) => {
      this.keep(EACH_BYTES + 8 * list.keys.length + length);
      this.#lists.set(id, list);
      return this.#settle();
    });
  }

  /** Makes sure that what was read before was still so when the latest was read: that all of it is so now. */
  #settle(): Soon<void> {
    if (this.#reads.size + this.#lists.size < 2) return;
    const moment = this.#store.moment();
    const held = this.#held;
    if (held && sameMoment(held, moment)) return;
    const changed = held && this.#store.changedSince(held);
    const scopes = changed && new Set(changed.map((id) => id.slice(0, id.indexOf('\0'))));
    const reads = changed ? changed.flatMap((id) => this.#reads.get(id) ?? []) : [...this.#reads.values()];
    const lists = [...this.#lists.values()].filter(({ scope }) => scopes?.has(scope) !== false);
    const looked = this.#look(reads, ({ scope, key, revision }) =>
      whenReady(this.#store.get(scope, key, this.#now), (entry) => (entry?.revision ?? 0) === revision),
    );
    const listed = () =>
      this.#look(lists, ({ scope, options, keys }) =>
        whenReady(this.#store.list(scope, options, this.#now, this.#context), (found) => this.#inTurns(same(found, keys))),
      );
    return whenReady(whenReady(looked, listed), () => {
      this.#held = moment;
    });
  }

  /** Whether each still holds, in turns where there are many. */
  #look<T>(items: readonly T[], holds: (item: T) => Soon<boolean>): Soon<void> {
    const { cpu } = this.#context.run;
    const decide = (held: boolean) => held || this.#conflict();
    return whenReady(
      eachSoon(items, (item) => whenReady(breathe(cpu), () => whenReady(holds(item), decide))),
      () => undefined,
    );
  }

  #inTurns<T>(steps: Generator<undefined, T>): Soon<T> {
    return doneInTurns(this.#context.run.cpu, steps);
  }

  #conflict(): never {
    this.stale = true;
    throw new ScriptError('CONFLICT', 'what the transaction has read was changed by somebody else');
  }
}

/** Keys in byte order with others in any order among them, without what was removed, each once; in steps. */
function* together(keys: readonly string[], others: readonly string[], removed: ReadonlySet<string>, limit = Number.POSITIVE_INFINITY) {
  const own = yield* orderInSteps(others);
  const all: string[] = [];
  let next = 0;
  const add = (key: string) => {
    if (all.length < limit && key !== all.at(-1) && !removed.has(key)) all.push(key);
  };
  for (const [at, key] of keys.entries()) {
    if (at % STEP === 0) yield;
    for (let mine = own[next]; mine !== undefined && compareBytes(mine, key) <= 0; mine = own[++next]) add(mine);
    add(key);
  }
  for (const key of own.slice(next)) add(key);
  return all;
}

/** Whether two lists have the same keys, in steps. */
function* same(a: readonly string[], b: readonly string[]) {
  if (a.length !== b.length) return false;
  for (const [at, key] of a.entries()) {
    if (at % STEP === 0) yield;
    if (key !== b[at]) return false;
  }
  return true;
}

/** How long texts are together, in steps. */
function* lengths(texts: readonly string[]) {
  let sum = 0;
  for (const [at, { length }] of texts.entries()) {
    if (at % STEP === 0) yield;
    sum += length;
  }
  return sum;
}
