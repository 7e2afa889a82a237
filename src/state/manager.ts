import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodeSoon, encodeSoon } from '../call/codec.ts';
import { hostService } from '../call/context.ts';
import { Cpu } from '../call/cpu.ts';
import { checkFields, type Rule, text } from '../call/rules.ts';
import { toPlain, type Value } from '../call/value.ts';
import { type ConfigInput, parseConfig } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { resultCode, SQLITE_BUSY } from '../store/failure.ts';
import { isTenant, TENANT_WANTED, tenantFolder } from '../store/folders.ts';
import type { ListOptions, Store } from '../store/store.ts';
import { type StoreOptions, Stores } from '../store/stores.ts';
import { meantScope, tenantNamed } from '../tenant/reach.ts';

const KINDS = ['agent', 'workflow', 'session', 'tenant', 'user', 'tool', 'hook', 'custom'];
const SCOPE = new RegExp(`^(?:global|(?:${KINDS.join('|')}):[A-Za-z0-9_.-]{1,128})$`);
const MOST_KEY_BYTES = 1_024;
/** A hundred years: what is longer has no end. */
export const MOST_TTL_MS = 100 * 366 * 24 * 3_600_000;

const TENANT_OPTION: Readonly<Record<string, Rule>> = { tenant: { wanted: TENANT_WANTED, fits: (value) => text.fits(value) && isTenant(value as string) } };
const SAVE_OPTIONS: Readonly<Record<string, Rule>> = {
  ...TENANT_OPTION,
  ttl_ms: { wanted: `a number above 0 and of at most ${MOST_TTL_MS}`, fits: (value) => typeof value === 'number' && value > 0 && value <= MOST_TTL_MS },
};
const LIST_OPTIONS: Readonly<Record<string, Rule>> = {
  ...TENANT_OPTION,
  prefix: text,
  after: text,
  limit: { wanted: 'an integer of at least 1', fits: (value) => Number.isInteger(value) && (value as number) >= 1 },
};

export interface HostStateOptions {
  /** `default` if not given; a scope `tenant:ID` names its tenant itself. */
  readonly tenant?: string;
  readonly ttl_ms?: number;
}

/**
 * State for hosts: what scripts see as `State`, without hooks and events. One manager may serve several runtimes and the host itself;
 * what one saves the others see at once.
 */
export class StateManager {
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  readonly #stores: Stores;
  readonly #onDisk: boolean;
  #closed = false;

  constructor(options: StoreOptions) {
    this.dataDir = options.dataDir;
    this.#onDisk = options.backend === 'sqlite';
    this.#stores = new Stores(options);
  }

  /** True when it was disposed of: it gives no store any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** A tenant's store. Throws STORE_FAILED when the manager was disposed of. */
  store(tenant: string): Store {
    this.#checkOpen();
    return this.#stores.of(tenant);
  }

  /** A tenant's store for reading: an empty one where the tenant has none, which is then not made. */
  existing(tenant: string): Store {
    this.#checkOpen();
    return this.#stores.existing(tenant);
  }

  /** Saves a value (JSON-like data, bigint, Uint8Array). Throws BAD_ARGUMENT for a bad scope or key, STORE_FAILED when the store cannot write. */
  async save(scope: string, key: string, value: unknown, options: HostStateOptions = {}): Promise<void> {
    checkName('save', scope, key ?? '');
    checkFields('State.save: options', options, SAVE_OPTIONS);
    const expiresAt = options.ttl_ms === undefined ? undefined : Math.ceil(Date.now() + options.ttl_ms);
    const bytes = await encodeSoon(new Cpu(), value as Value, 'State.save: value');
    await this.#storeFor(scope, options).commit([{ scope, key, put: { value: bytes, expiresAt } }], Date.now());
  }

  /** The value as plain data, undefined when there is none. */
  async load(scope: string, key: string, options: HostStateOptions = {}): Promise<unknown> {
    checkName('load', scope, key ?? '');
    checkFields('State.load: options', options, TENANT_OPTION);
    const entry = await this.#storeFor(scope, options).get(scope, key, Date.now());
    return entry && toPlain(await decodeSoon(new Cpu(), entry.value));
  }

  /** Whether there was something to delete. */
  async delete(scope: string, key: string, options: HostStateOptions = {}): Promise<boolean> {
    checkName('delete', scope, key ?? '');
    checkFields('State.delete: options', options, TENANT_OPTION);
    const store = this.#storeFor(scope, options);
    const there = (await store.get(scope, key, Date.now())) !== undefined;
    await store.commit([{ scope, key, remove: true }], Date.now());
    return there;
  }

  /** Keys of a scope in byte order. */
  async list_keys(scope: string, options: ListOptions & HostStateOptions = {}): Promise<string[]> {
    checkName('list_keys', scope);
    checkFields('State.list_keys: options', options, LIST_OPTIONS);
    return this.#storeFor(scope, options).list(scope, options, Date.now());
  }

  /** The scopes that hold something. */
  async list_scopes(options: Pick<HostStateOptions, 'tenant'> = {}): Promise<string[]> {
    checkFields('State.list_scopes: options', options, TENANT_OPTION);
    return (await this.store(options.tenant ?? 'default').scopes(Date.now())).filter(isScope);
  }

  /** Closes what is open of a tenant and takes it out of use in other processes, so that its folder can be deleted; says whether there was anything. */
  async release(tenant: string): Promise<boolean> {
    this.#checkOpen();
    const there = this.#onDisk ? existsSync(join(tenantFolder(this.dataDir, tenant), 'state.db')) : this.#stores.has(tenant);
    try {
      if (there) await this.#stores.of(tenant).abandon();
    } catch (error) {
      // A damaged database can be removed like any other; one that somebody is writing to cannot.
      if (resultCode((error as ScriptError).cause) === SQLITE_BUSY) throw error;
    }
    this.#stores.close(tenant);
    return there;
  }

  #storeFor(scope: string, { tenant = 'default' }: HostStateOptions): Store {
    return this.store(tenantNamed(scope, tenant));
  }

  #checkOpen(): void {
    if (this.#closed) throw new ScriptError('STORE_FAILED', 'the state is closed: its manager was disposed of');
  }

  /** Closes the databases; afterwards the manager can do no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stores.close();
  }
}

/** Makes the state that hosts and runtimes share: `ScriptRuntime.create({config, state})`. */
export function createStateManager(config: ConfigInput = {}): StateManager {
  const { data, tenants } = parseConfig(config);
  return new StateManager({ backend: data.backend, durability: data.durability, dataDir: resolve(data.dir), maxBytes: tenants.max_bytes });
}

/** The state of a runtime. */
export const stateManager = hostService<StateManager>(
  'state',
  ({ config: { data, tenants }, dataDir }) => new StateManager({ backend: data.backend, durability: data.durability, dataDir, maxBytes: tenants.max_bytes }),
);

/** Whether scripts can name it; the runtime keeps things of its own beside. */
export function isScope(scope: string): boolean {
  return SCOPE.test(scope);
}

/** Throws BAD_ARGUMENT unless scope and key are ones. */
export function checkName(method: string, scope: string, key?: string): void {
  if (typeof scope !== 'string' || !isScope(scope)) {
    const given = String(scope).slice(0, 200);
    throw new ScriptError(
      'BAD_ARGUMENT',
      `State.${method}: scope: expected "global" or kind:id (${KINDS.join(', ')}; an id is 1 to 128 of A-Za-z0-9_.-), got ${JSON.stringify(given.slice(0, 80))}${meantScope(given, ['global', ...KINDS], isScope)}`,
    );
  }
  if (key !== undefined && typeof key !== 'string') throw new ScriptError('BAD_ARGUMENT', `State.${method}: key: expected a string, got ${typeof key}`);
  if (key !== undefined && (key === '' || Buffer.byteLength(key) > MOST_KEY_BYTES))
    throw new ScriptError('BAD_ARGUMENT', `State.${method}: key: expected 1 to ${MOST_KEY_BYTES} bytes of text, got ${Buffer.byteLength(key)}`);
  // Stored as UTF-8 it would be that of another.
  if (key?.isWellFormed() === false) throw new ScriptError('BAD_ARGUMENT', `State.${method}: key: expected a text, got half of a surrogate pair in it`);
}
