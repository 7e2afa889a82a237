import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import type { ListOptions, Store, StoredEntry, StoreWrite } from '../store/store.ts';

type Buffered = { readonly value: Uint8Array; readonly expiresAt: number | undefined } | 'removed';

/**
 * An optimistic transaction (Kung and Robinson 1981): reads note revisions, writes are collected, and the commit holds only if nothing that
 * was read has changed. Each new read checks the earlier ones first, so that all of them are of one moment.
 */
export class Transaction {
  readonly tenant: string;
  readonly #open: () => Store;
  readonly #now: number;
  readonly #reads = new Map<string, { scope: string; key: string; revision: number; entry: StoredEntry | undefined }>();
  readonly #lists: { scope: string; options: ListOptions; keys: string }[] = [];
  readonly #writes = new Map<string, { scope: string; key: string; change: Buffered }>();
  readonly #after: ((context: Context) => Soon<unknown>)[] = [];
  /** Set when what it has read is no longer so: its function runs again, and a script sees the error only if it catches it. */
  stale = false;

  /** `open` gives the tenant's store, and is asked each time: it may be closed while the function waits. */
  constructor(tenant: string, open: () => Store, now: number) {
    this.tenant = tenant;
    this.#open = open;
    this.#now = now;
  }

  get #store(): Store {
    return this.#open();
  }

  /** The entry as this transaction sees it. */
  get(scope: string, key: string): Soon<{ value: Uint8Array; expiresAt: number | undefined } | undefined> {
    const written = this.#writes.get(`${scope}\0${key}`)?.change;
    if (written) return written === 'removed' ? undefined : written;
    const known = this.#reads.get(`${scope}\0${key}`);
    if (known) return known.entry;
    return whenReady(this.#check(), () =>
      whenReady(this.#store.get(scope, key, this.#now), (entry) => {
        this.#reads.set(`${scope}\0${key}`, { scope, key, revision: entry?.revision ?? 0, entry });
        return entry;
      }),
    );
  }

  put(scope: string, key: string, value: Uint8Array, expiresAt: number | undefined): void {
    this.#writes.set(`${scope}\0${key}`, { scope, key, change: { value, expiresAt } });
  }

  remove(scope: string, key: string): void {
    this.#writes.set(`${scope}\0${key}`, { scope, key, change: 'removed' });
  }

  /** Keys with this transaction's own writes among them. */
  list(scope: string, { prefix = '', after, limit }: ListOptions): Soon<string[]> {
    const options = { prefix, after };
    return whenReady(this.#check(), () =>
      whenReady(this.#store.list(scope, options, this.#now), (stored) => {
        this.#lists.push({ scope, options, keys: stored.join('\0') });
        const keys = new Set(stored);
        for (const write of this.#writes.values()) {
          if (write.scope !== scope || !write.key.startsWith(prefix) || (after !== undefined && write.key <= after)) continue;
          if (write.change === 'removed') keys.delete(write.key);
          else keys.add(write.key);
        }
        return [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, limit);
      }),
    );
  }

  /** Runs when the commit has held. */
  afterwards(work: (context: Context) => Soon<unknown>): void {
    this.#after.push(work);
  }

  /** False when something that was read has changed; else everything is saved. */
  async commit(): Promise<boolean> {
    if (this.stale || !(await this.#listsHold())) return false;
    const writes: StoreWrite[] = [...this.#writes.values()].map(({ scope, key, change }) => {
      const expect = this.#reads.get(`${scope}\0${key}`)?.revision;
      return change === 'removed' ? { scope, key, remove: true, expect } : { scope, key, put: change, expect };
    });
    const checks = [...this.#reads]
      .filter(([id]) => !this.#writes.has(id))
      .map(([, { scope, key, revision }]): StoreWrite => ({ scope, key, expect: revision }));
    return writes.length + checks.length === 0 || this.#store.commit([...checks, ...writes], this.#now);
  }

  async finish(context: Context): Promise<void> {
    for (const work of this.#after) await work(context);
  }

  #check(): Soon<void> {
    if (this.#reads.size === 0) return;
    const current = [...this.#reads.values()].map(({ scope, key, revision }) =>
      whenReady(this.#store.get(scope, key, this.#now), (entry) => (entry?.revision ?? 0) === revision),
    );
    const decide = (held: readonly boolean[]) => {
      if (held.every(Boolean)) return;
      this.stale = true;
      throw new ScriptError('CONFLICT', 'what the transaction has read was changed by somebody else');
    };
    return current.some((one) => one instanceof Promise) ? Promise.all(current).then(decide) : decide(current as boolean[]);
  }

  async #listsHold(): Promise<boolean> {
    for (const { scope, options, keys } of this.#lists) if ((await this.#store.list(scope, options, this.#now)).join('\0') !== keys) return false;
    return true;
  }
}
