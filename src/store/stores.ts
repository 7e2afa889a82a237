import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkTenant, tenantFolder, tenantHome } from './folders.ts';
import { MemoryStore } from './memory.ts';
import { SqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  readonly backend: 'sqlite' | 'memory';
  /** `normal` survives a killed process, `full` a power loss too. */
  readonly durability: 'normal' | 'full';
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** What one tenant's database and artifact files, or its store in memory, may take, bytes. */
  readonly maxBytes?: number | undefined;
  /** A folder inside the tenant's for a store of its own: what is in it no script, backup or restore reaches. */
  readonly part?: string | undefined;
}

/** Databases that are open at once; of those that nothing is under way of, the one that was used longest ago is closed first. */
const MOST_OPEN = 64;

/** The stores of all tenants, opened at first use. */
export class Stores {
  readonly #options: StoreOptions;
  readonly #open = new Map<string, MemoryStore | SqliteStore>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** A tenant's store; use it at once and ask again for the next call. Throws BAD_ARGUMENT for a bad name and STORE_FAILED when it cannot be opened. */
  of(tenant: string): Store {
    const known = this.#open.get(tenant);
    if (known?.isRemoved) this.close(tenant);
    else if (known) {
      if (this.#open.size < MOST_OPEN / 2) return known;
      this.#open.delete(tenant);
      this.#open.set(tenant, known);
      this.#closeOldest();
      return known;
    }
    checkTenant(tenant);
    const { backend, dataDir, durability, maxBytes, part = '' } = this.#options;
    const made =
      backend === 'memory' ? new MemoryStore(maxBytes) : new SqliteStore(join(tenantHome(dataDir, tenant), part), durability, { max_bytes: maxBytes });
    this.#open.set(tenant, made);
    this.#closeOldest();
    return made;
  }

  /** The same for reading: where a tenant has nothing yet that stays so, and the store is an empty one. */
  existing(tenant: string): Store {
    const { backend, dataDir, part = '' } = this.#options;
    if (backend === 'memory' || this.#open.has(tenant)) return this.of(tenant);
    checkTenant(tenant);
    return existsSync(join(tenantFolder(dataDir, tenant), part, 'state.db')) ? this.of(tenant) : new MemoryStore();
  }

  has(tenant: string): boolean {
    return this.#open.has(tenant);
  }

  /** Closes one tenant's store, or all. What lives in memory is gone with it. */
  close(tenant?: string): void {
    if (tenant !== undefined) {
      this.#open.get(tenant)?.close();
      this.#open.delete(tenant);
      return;
    }
    for (const store of this.#open.values()) store.close();
    this.#open.clear();
  }

  /** Closes what is too much, but not the one that was asked for last. What is busy stays open until one is asked for later. */
  #closeOldest(): void {
    let tooMany = this.#options.backend === 'sqlite' ? this.#open.size - MOST_OPEN : 0;
    if (tooMany <= 0) return;
    for (const [tenant, store] of [...this.#open].slice(0, -1)) {
      if (tooMany === 0) return;
      if (store instanceof SqliteStore && store.isBusy) continue;
      this.close(tenant);
      tooMany--;
    }
  }
}
