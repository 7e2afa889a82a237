import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ScriptError } from '../../errors.ts';
import { checkTenant, tenantFolder, tenantHome } from '../../store/folders.ts';
import { loadUsearch, type Usearch } from '../../vector/hnsw.ts';
import type { Knowledge, KnowledgeTotals } from '../knowledge.ts';
import { StoredBase } from './base.ts';
import { type Failpoint, KnowledgeDatabase } from './database.ts';
import type { Rows } from './rows.ts';

export interface KnowledgeOptions {
  readonly backend: 'sqlite' | 'memory';
  /** `normal` survives a killed process, `full` a power loss too. */
  readonly durability: 'normal' | 'full';
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  /** Up to so many vectors are searched exactly; 20,000. */
  readonly exactLimit?: number | undefined;
  /** Bytes of vectors that all bases together keep in memory; 512 MB. */
  readonly memoryLimit?: number | undefined;
  /** Gives the optional package usearch, undefined where it is missing. */
  readonly library?: (() => Promise<Usearch | undefined>) | undefined;
  /** Called between the steps of a write, by tests. */
  readonly failpoint?: Failpoint | undefined;
}

/** Databases that are open at once; the one that was used longest ago is closed first. */
const MOST_OPEN = 64;
const EXACT_LIMIT = 20_000;
const MEMORY_LIMIT = 512 * 2 ** 20;
const MOST_NAME = 128;
/** Names asked for of a tenant from which on those without a stored base are forgotten. */
const MANY_NAMES = 256;

interface Tenant {
  readonly database: KnowledgeDatabase;
  readonly bases: Map<string, StoredBase>;
}

/** Knowledge in databases. */
export interface OpenKnowledge extends Knowledge {
  base(tenant: string, name: string, options?: { readonly reading?: boolean }): StoredBase;
}

/** Opens the knowledge of a data folder, or of a process where the backend is memory. Databases are opened at first use. */
export function openKnowledge(options: KnowledgeOptions): OpenKnowledge {
  return new StoredKnowledge(options);
}

class StoredKnowledge implements OpenKnowledge {
  readonly #options: KnowledgeOptions;
  readonly #tenants = new Map<string, Tenant>();
  readonly #closing = new Set<Promise<void>>();
  #nothing: Tenant | undefined;
  /** Vectors in memory, the ones used longest ago first. */
  readonly #rows = new Set<Rows>();

  constructor(options: KnowledgeOptions) {
    this.#options = options;
  }

  base(tenant: string, name: string, { reading = false } = {}): StoredBase {
    const { database, bases } = reading && !this.#has(tenant) ? this.#empty() : this.#tenant(tenant);
    const known = bases.get(name);
    if (known) return known;
    if (name === '' || name.length > MOST_NAME || !name.isWellFormed())
      throw new ScriptError(
        'BAD_ARGUMENT',
        `name of the knowledge base: expected a text of 1 to ${MOST_NAME} characters, got ${JSON.stringify(name.slice(0, 40))}`,
      );
    const { library = loadUsearch, exactLimit = EXACT_LIMIT, memoryLimit = MEMORY_LIMIT } = this.#options;
    const base = new StoredBase(database, name, { library, exactLimit, memoryLimit, used: (rows) => this.#used(rows) });
    bases.set(name, base);
    if (bases.size > MANY_NAMES) forgetOldest(database, bases);
    return base;
  }

  bases(tenant: string): string[] {
    return this.#tenant(tenant)
      .database.all<{ name: string }>('SELECT name FROM bases ORDER BY name')
      .map((row) => row.name);
  }

  totals(tenant: string): KnowledgeTotals {
    return this.#tenant(tenant).database.one<KnowledgeTotals>('SELECT documents, bytes FROM totals') ?? { documents: 0, bytes: 0 };
  }

  #has(tenant: string): boolean {
    if (this.#options.backend === 'memory' || this.#tenants.has(tenant)) return true;
    checkTenant(tenant);
    return existsSync(join(tenantFolder(this.#options.dataDir, tenant), 'knowledge.db'));
  }

  /** What all tenants have that have nothing. */
  #empty(): Tenant {
    this.#nothing ??= { database: new KnowledgeDatabase(undefined, 'normal'), bases: new Map() };
    return this.#nothing;
  }

  async release(tenant: string): Promise<void> {
    const open = this.#tenants.get(tenant);
    this.#tenants.delete(tenant);
    if (open) await this.#close(open);
    await Promise.all(this.#closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tenant of [...this.#tenants.keys()]) await this.release(tenant);
    if (this.#nothing) await this.#close(this.#nothing);
    await Promise.all(this.#closing);
  }

  #tenant(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known) {
      if (this.#tenants.size < MOST_OPEN / 2) return known;
      this.#tenants.delete(name);
      this.#tenants.set(name, known);
      return known;
    }
    checkTenant(name);
    const folder = this.#options.backend === 'memory' ? undefined : tenantHome(this.#options.dataDir, name);
    const made = { database: new KnowledgeDatabase(folder, this.#options.durability, this.#options.failpoint), bases: new Map() };
    this.#tenants.set(name, made);
    if (this.#options.backend === 'sqlite' && this.#tenants.size > MOST_OPEN) this.#closeOldest();
    return made;
  }

  #closeOldest(): void {
    const oldest = this.#tenants.entries().next().value;
    if (!oldest) return;
    this.#tenants.delete(oldest[0]);
    const closing = this.#close(oldest[1]).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async #close({ database, bases }: Tenant): Promise<void> {
    await Promise.all([...bases.values()].map((base) => base.close()));
    database.close();
  }

  #used(rows: Rows): void {
    this.#rows.delete(rows);
    this.#rows.add(rows);
    let total = 0;
    for (const one of this.#rows) total += one.sizeBytes;
    for (const oldest of this.#rows) {
      if (total <= (this.#options.memoryLimit ?? MEMORY_LIMIT) || oldest === rows) return;
      total -= oldest.sizeBytes;
      oldest.drop();
      this.#rows.delete(oldest);
    }
  }
}

/** Forgets the name that was asked for longest ago where nothing is stored under it, or puts it last; there are endlessly many names. */
function forgetOldest(database: KnowledgeDatabase, bases: Map<string, StoredBase>): void {
  const [oldest] = bases;
  if (!oldest) return;
  bases.delete(oldest[0]);
  if (database.base(oldest[0])) bases.set(...oldest);
}
