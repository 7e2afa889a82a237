import { breathe } from '../call/breath.ts';
import { isMap as isPlainMap } from '../call/check/kind.ts';
import { decode, decodeSoon, encodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { sameValue } from '../call/same.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { type Callback, Float, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import type { ListOptions, Store, StoreUsage } from '../store/store.ts';
import { tenantOfScope } from '../tenant/reach.ts';
import { checkName, isScope, stateManager } from './manager.ts';
import { type Done, EACH_BYTES, Transaction } from './transaction.ts';

/** How often the function of an update or transaction runs at most before CONFLICT. */
const MOST_ATTEMPTS = 10;
/** What one stored value may take, bytes: SQLite writes it in one go, and what is larger would hold the event loop. */
export const MOST_VALUE_BYTES = 2 ** 20;

export interface SaveOptions {
  /** The value is gone after this, ms. */
  readonly ttl_ms?: number | undefined;
  /** The value is gone at this time, ms since 1970, if `ttl_ms` does not say otherwise. */
  readonly expires_at?: number | undefined;
}

/** The store of the run's tenant. */
export function storeOf(context: Context): Store {
  return context.run.host.get(stateManager).store(context.run.tenant);
}

/** The store that a scope lies in: that of the tenant it names. Throws NOT_ALLOWED when it names one that the run was not granted. */
export function storeFor(context: Context, scope: string): Store {
  return context.run.host.get(stateManager).store(tenantOfScope(context, scope));
}

/** The same for reading, which makes nothing. */
function existing(context: Context, scope: string): Store {
  return context.run.host.get(stateManager).existing(tenantOfScope(context, scope));
}

function transactionOf(context: Context): Transaction | undefined {
  return context.transaction instanceof Transaction ? context.transaction : undefined;
}

/** The transaction around a call, which must be of the scope's tenant: two databases cannot be changed as one. */
function transactionFor(context: Context, scope: string): Transaction | undefined {
  const transaction = transactionOf(context);
  if (transaction && transaction.tenant !== tenantOfScope(context, scope))
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: scope: ${scope} is not of the tenant ${transaction.tenant}, in which the transaction is; each tenant has its own`,
    );
  return transaction;
}

/** Saves a value inside its hooks; throws what a hook, the codec or the store objects to. */
export function save(context: Context, scope: string, key: string, value: Value, { ttl_ms, expires_at }: SaveOptions = {}): Soon<void> {
  checkName('save', scope, key);
  const put = (scope: string, key: string, bytes: Uint8Array): Soon<unknown> => {
    if (bytes.length > MOST_VALUE_BYTES)
      throw new ScriptError('LIMIT_EXCEEDED', `State.save: value: takes more than ${MOST_VALUE_BYTES / 2 ** 20} MB; keep large content with Artifact.store`);
    const transaction = transactionFor(context, scope);
    // Opening takes time that is not the value's.
    const store = transaction ? undefined : storeFor(context, scope);
    const now = context.run.now();
    const expiresAt = ttl_ms === undefined ? expires_at : Math.ceil(now + ttl_ms);
    if (transaction || !store) return transaction?.put(scope, key, bytes, expiresAt);
    return store.commit([{ scope, key, put: { value: bytes, expiresAt } }], now);
  };
  const saved = operate(context, 'save', { scope, key, value }, ({ scope, key, value }, keep) =>
    whenReady(encodeSoon(context.run.cpu, value ?? null, `${context.method}: value`, context.run.language), (bytes) =>
      whenReady(put(scope, key, bytes), () => {
        keep(bytes);
        return null;
      }),
    ),
  );
  return whenReady(saved, () => undefined);
}

/** The value, null when there is none. */
export function load(context: Context, scope: string, key: string): Soon<Value> {
  checkName('load', scope, key);
  return operate(context, 'load', { scope, key }, ({ scope, key }, keep) =>
    whenReady(read(context, scope, key), (entry) => {
      transactionOf(context)?.keep(entry?.value.length ?? 0);
      keep(entry?.value);
      return entry ? decodeSoon(context.run.cpu, entry.value) : null;
    }),
  );
}

/** Whether there was something to delete. */
export function remove(context: Context, scope: string, key: string): Soon<boolean> {
  checkName('delete', scope, key);
  return operate(context, 'delete', { scope, key }, ({ scope, key }, keep) =>
    whenReady(read(context, scope, key), (entry) => {
      keep(undefined);
      if (!entry) return false;
      const transaction = transactionFor(context, scope);
      if (transaction) return transaction.remove(scope, key) ?? true;
      return whenReady(storeFor(context, scope).commit([{ scope, key, remove: true }], context.run.now()), () => true);
    }),
  ) as Soon<boolean>;
}

export function exists(context: Context, scope: string, key: string): Soon<boolean> {
  checkName('exists', scope, key);
  return whenReady(read(context, scope, key), (entry) => entry !== undefined);
}

/** Keys in byte order. */
export function listKeys(context: Context, scope: string, options: ListOptions): Soon<string[]> {
  checkName('list_keys', scope);
  return transactionFor(context, scope)?.list(scope, options) ?? existing(context, scope).list(scope, options, context.run.now(), context);
}

/** Scopes that hold anything. */
export function listScopes(context: Context): Soon<string[]> {
  return whenReady(storeOf(context).scopes(context.run.now(), context), (all) => all.filter(isScope));
}

export function usage(context: Context): Soon<StoreUsage> {
  return storeOf(context).usage(context.run.now(), context);
}

/** Throws NOT_IN_TRANSACTION inside State.update and State.transaction: what concerns the whole store is no part of one. */
export function refuseInTransaction(context: Context): void {
  if (context.transaction) throw new ScriptError('NOT_IN_TRANSACTION', `${context.method}: may not be called inside State.update or State.transaction`);
}

/** Removes everything of a scope and says how many values that were. */
export function clear(context: Context, scope: string): Soon<number> {
  checkName('clear', scope);
  refuseInTransaction(context);
  return storeFor(context, scope).clear(scope, context.run.now(), context);
}

/** Saves only where the present value equals the expected one (nil: absent); says whether it did. */
export function compareAndSet(context: Context, scope: string, key: string, expected: Value, value: Value): Soon<boolean> {
  checkName('compare_and_set', scope, key);
  const replace = (inside: Context) =>
    whenReady(
      whenReady(read(inside, scope, key), (entry) => (entry ? decodeSoon(context.run.cpu, entry.value) : null)),
      (present) => (sameValue(present, expected) ? whenReady(save(inside, scope, key, value), () => true) : false),
    );
  return transactionOf(context) ? replace(context) : transact(context, async (inside) => replace(inside), tenantOfScope(context, scope));
}

/** Adds to a number (absent counts as 0; its time to live stays) and gives the sum. Throws BAD_ARGUMENT when there is something else, or beyond ±2^53. */
export function increment(context: Context, scope: string, key: string, by: number): Soon<number> {
  checkName('increment', scope, key);
  const add = (inside: Context) =>
    whenReady(read(inside, scope, key), (entry) => {
      const stored = entry ? decode(entry.value) : 0;
      const old = stored instanceof Float ? stored.value : stored;
      if (typeof old !== 'number' && typeof old !== 'bigint') throw new ScriptError('BAD_ARGUMENT', `State.increment: ${scope}/${key} holds no number`);
      const sum = Number(old) + by;
      const exact = stored instanceof Float || !Number.isInteger(sum) || (typeof old === 'number' && Number.isSafeInteger(sum));
      if (!exact) throw new ScriptError('BAD_ARGUMENT', `State.increment: ${scope}/${key}: the sum is beyond ±2^53`);
      const value = stored instanceof Float ? new Float(sum) : sum;
      return whenReady(save(inside, scope, key, value, { expires_at: entry?.expiresAt }), () => sum);
    });
  return transactionOf(context) ? add(context) : transact(context, async (inside) => add(inside), tenantOfScope(context, scope));
}

/** Replaces a value by what a function makes of it, atomically; nil removes it, its time to live stays. Gives the new value. */
export function update(context: Context, scope: string, key: string, fn: Callback): Promise<Value> {
  checkName('update', scope, key);
  const replace = async (inside: Context) => {
    const old = await load(inside, scope, key);
    const expires_at = await transactionFor(inside, scope)?.expiry(scope, key);
    const value = await inside.invoke(fn, [old]);
    if (value === null) await remove(inside, scope, key);
    else await save(inside, scope, key, value, { expires_at });
    return value;
  };
  return transact(context, replace, tenantOfScope(context, scope));
}

/** Runs a function whose changes of one tenant, the run's if not told otherwise, are saved all or not at all; joins the transaction around it. Throws CONFLICT after 10 attempts. */
export async function transact<T>(context: Context, work: (inside: Context) => Promise<T>, tenant = context.run.tenant): Promise<T> {
  if (transactionOf(context)) return work(context);
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const transaction = new Transaction(tenant, () => context.run.host.get(stateManager).store(tenant), context.run.now(), context);
    try {
      const result = await work(context.with({ transaction }));
      if (await transaction.commit()) {
        await tellAll(context, transaction);
        return result;
      }
    } catch (error) {
      // Whatever the function made of it: it has seen that something changed.
      if (!transaction.stale) throw error;
    } finally {
      transaction.end();
    }
    await context.run.sleep(Math.random() * 2 ** attempt, context.signal);
  }
  throw new ScriptError('CONFLICT', `${context.method}: others changed the same data ${MOST_ATTEMPTS} times while the function ran; nothing was saved`);
}

function read(context: Context, scope: string, key: string): Soon<{ readonly value: Uint8Array; readonly expiresAt?: number | undefined } | undefined> {
  const transaction = transactionFor(context, scope);
  return transaction ? transaction.get(scope, key) : existing(context, scope).get(scope, key, context.run.now());
}

/** What is saved, loaded or deleted. */
type Target = { scope: string; key: string; value?: Value };

/** What a hook puts in place: the same fields, named as carefully as by the script itself. */
function checkTarget(verb: Done['verb'], changed: Value): Target {
  const fields = verb === 'save' ? ['scope', 'key', 'value'] : ['scope', 'key'];
  const { scope, key, value = null } = (isPlainMap(changed) ? changed : {}) as ValueMap;
  const wrong = !isPlainMap(changed) || Object.keys(changed).some((name) => !fields.includes(name));
  if (wrong || typeof scope !== 'string' || typeof key !== 'string')
    throw new ScriptError('BAD_ARGUMENT', `State.${verb}: input: expected a map {${fields.join(', ')}} with texts for scope and key`);
  checkName(verb, scope, key);
  return verb === 'save' ? { scope, key, value } : { scope, key };
}

function checkDeleted(changed: Value): Value {
  if (typeof changed !== 'boolean') throw new ScriptError('BAD_ARGUMENT', `State.delete: output: expected a boolean, got ${typeof changed}`);
  return changed;
}

const PAST = { save: 'saved', load: 'loaded', delete: 'deleted' } as const;

/** Notes the stored form of what was saved or loaded. */
type Keep = (bytes: Uint8Array | undefined) => void;

/** Runs an operation inside its hooks and tells of it, when its tenant may be reached; in a transaction what comes after is told when that has held. */
function operate(context: Context, verb: Done['verb'], given: Target, operation: (input: Target, keep: Keep) => Soon<Value>): Soon<Value> {
  const { run } = context;
  const transaction = transactionFor(context, given.scope);
  if (transaction) transaction.keep(EACH_BYTES);
  else tenantOfScope(context, given.scope);
  let input = given;
  let kept: { readonly bytes: Uint8Array | undefined } | undefined;
  const watched = {
    kind: 'state',
    before: `before_${verb}`,
    after: transaction ? undefined : `after_${verb}`,
    input: given,
    fields: fieldsOf(given),
    checkInput: (changed: Value) => checkTarget(verb, changed),
    ...(verb === 'delete' && { checkOutput: checkDeleted }),
  };
  const work = (wanted: Target) => {
    input = wanted;
    return operation(wanted, (bytes) => {
      kept = { bytes };
    });
  };
  return whenReady(run.get(hooks).around<Target, Value>(context, watched, work), (output) => {
    if (!transaction) return whenReady(announce(context, verb, input), () => output);
    return whenReady(kept ?? instead(transaction, context, verb === 'save' ? (input.value ?? null) : output), ({ bytes }) => {
      transaction.done.push({ verb, given: named(given), input: named(input), bytes, deleted: verb === 'delete' && output === true });
      return output;
    });
  });
}

/** The stored form of what a hook has put in place of an operation. */
function instead(transaction: Transaction, { run }: Context, value: Value): Soon<{ bytes: Uint8Array }> {
  return whenReady(encodeSoon(run.cpu, value), (bytes) => {
    transaction.keep(bytes.length);
    return { bytes };
  });
}

function named({ scope, key }: Target): { scope: string; key: string } {
  return { scope, key };
}

function fieldsOf({ scope, key }: Target): ValueMap {
  return { name: key, scope, key };
}

function announce(context: Context, verb: Done['verb'], input: Target): Soon<void> {
  if (verb !== 'load') return context.run.get(events).announce(context, `state.${PAST[verb]}`, named(input));
}

/** Tells hooks and subscribers what a transaction has done, in turns. */
async function tellAll(context: Context, { done }: Transaction): Promise<void> {
  const { run } = context;
  const hooked = run.get(hooks).list(context).length > 0;
  for (const { verb, given, input, bytes, deleted } of done) {
    await breathe(run.cpu);
    if (hooked) {
      const value = bytes ? await decodeSoon(run.cpu, bytes) : null;
      const output = verb === 'load' ? value : verb === 'delete' ? deleted : null;
      await run.get(hooks).fire(context, `state:after_${verb}`, { ...fieldsOf(given), input: verb === 'save' ? { ...input, value } : input, output });
    }
    await announce(context, verb, input);
  }
}
