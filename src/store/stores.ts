import { join } from 'node:path';
import { sha256 } from '../call/digest.ts';
import { ScriptError } from '../errors.ts';
import { MemoryStore } from './memory.ts';
import { SqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  readonly backend: 'sqlite' | 'memory';
  /** `normal` survives a killed process, `full` a power loss too. */
  readonly durability: 'normal' | 'full';
  /** Absolute path of the data folder. */
  readonly dataDir: string;
}

/** Databases that are open at once; the one that was used longest ago is closed first. */
const MOST_OPEN = 64;
const TENANT = /^[A-Za-z0-9_.-]{1,128}$/;

/** The stores of all tenants, opened at first use. */
export class Stores {
  readonly #options: StoreOptions;
  readonly #open = new Map<string, Store>();

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** A tenant's store; use it at once and ask again for the next call. Throws BAD_ARGUMENT for a bad name and STORE_FAILED when it cannot be opened. */
  of(tenant: string): Store {
    const known = this.#open.get(tenant);
    if (known) {
      if (this.#open.size < MOST_OPEN / 2) return known;
      this.#open.delete(tenant);
      this.#open.set(tenant, known);
      return known;
    }
    if (!TENANT.test(tenant))
      throw new ScriptError('BAD_ARGUMENT', `tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -, got ${JSON.stringify(tenant.slice(0, 40))}`);
    const made =
      this.#options.backend === 'memory' ? new MemoryStore() : new SqliteStore(tenantFolder(this.#options.dataDir, tenant), this.#options.durability);
    this.#open.set(tenant, made);
    if (this.#options.backend === 'sqlite' && this.#open.size > MOST_OPEN) this.#closeOldest();
    return made;
  }

  close(): void {
    for (const store of this.#open.values()) store.close();
    this.#open.clear();
  }

  #closeOldest(): void {
    const oldest = this.#open.entries().next().value;
    if (!oldest) return;
    this.#open.delete(oldest[0]);
    oldest[1].close();
  }
}

/** Where everything of a tenant lies: names that are hostile as paths never become one. */
export function tenantFolder(dataDir: string, tenant: string): string {
  return join(dataDir, 'tenants', sha256(tenant).slice(0, 32));
}
