import { breathe } from '../call/breath.ts';
import { decodeSoon, encodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { hooks } from '../hook/hooks.ts';
import type { StoreWrite } from '../store/store.ts';
import { tenantOfScope } from '../tenant/reach.ts';
import { checkName } from './manager.ts';
import { MOST_VALUE_BYTES, refuseInTransaction, storeFor } from './state.ts';
import { EACH_BYTES } from './transaction.ts';
import { type Transformation, transform } from './transform.ts';

export interface Migration {
  readonly from_version: number;
  readonly to_version: number;
  readonly scope?: string | undefined;
  readonly transformations: readonly Transformation[];
  readonly dry_run?: boolean | undefined;
}

export type MigrationResult = { migrated: number; skipped: number; failed: number; from_version: number; to_version: number; duration_ms: number };

const FIRST_VERSION = 1;
/** What the changed values may take together, bytes: they are kept until all are changed. */
const MOST_BYTES = 256 * 2 ** 20;
const metaName = (scope: string) => `schema:${scope}`;

/** The schema version of a scope: 1 until a migration changes it. */
export function schemaVersion(context: Context, scope: string): Soon<number> {
  checkName('get_schema_version', scope);
  return whenReady(storeFor(context, scope).meta(metaName(scope)), versionOf);
}

function versionOf(stored: string | undefined): number {
  return Number(stored ?? FIRST_VERSION);
}

/** Changes every value of a scope in one transaction; what is no map is skipped, and a value that fails undoes all. Throws CONFLICT when the stored version is another one. */
export function migrate(context: Context, migration: Migration): Soon<MigrationResult> {
  const { scope = 'global' } = migration;
  checkName('migrate', scope);
  refuseInTransaction(context);
  tenantOfScope(context, scope);
  if (migration.to_version <= migration.from_version)
    throw new ScriptError(
      'BAD_ARGUMENT',
      `State.migrate: to_version: expected more than from_version = ${migration.from_version}, got ${migration.to_version}`,
    );
  const { transformations, ...described } = migration;
  const input: ValueMap = {
    ...(described as ValueMap),
    scope,
    transformations: transformations.map(({ field, transform: kind }) => ({ field, transform: kind })),
  };
  const watched = { kind: 'state', before: 'before_migrate', after: 'after_migrate', input, fields: { name: scope, scope }, checkInput: refuseChange };
  return context.run.get(hooks).around<ValueMap, MigrationResult>(context, watched, () => run(context, scope, migration)) as Soon<MigrationResult>;
}

/** A migration holds functions and is one whole: a hook may refuse it, but not put another in its place. */
function refuseChange(): never {
  throw new ScriptError('BAD_ARGUMENT', 'State.migrate: input: a hook cannot change a migration, only refuse it');
}

async function run(context: Context, scope: string, { from_version, to_version, transformations, dry_run }: Migration): Promise<MigrationResult> {
  const started = performance.now();
  // Asked for each time: it may be closed in between.
  const store = () => storeFor(context, scope);
  const now = context.run.now();
  const stored = await store().meta(metaName(scope));
  const version = versionOf(stored);
  if (version !== from_version)
    throw new ScriptError('CONFLICT', `State.migrate: from_version: the scope ${scope} has version ${version}, not ${from_version}`);
  const writes: StoreWrite[] = [];
  let skipped = 0;
  let bytes = 0;
  const { cpu } = context.run;
  const keys = await store().list(scope, {}, now, context);
  for (const key of keys) {
    await breathe(cpu);
    const entry = await store().get(scope, key, now);
    if (!entry) continue;
    const value = await decodeSoon(cpu, entry.value);
    if (!isMap(value) || transformations.length === 0) {
      skipped++;
      continue;
    }
    const changed = await encodeSoon(cpu, await changeOne(context, key, value, transformations));
    if (changed.length > MOST_VALUE_BYTES)
      throw new ScriptError('LIMIT_EXCEEDED', `State.migrate: ${key}: would take more than ${MOST_VALUE_BYTES / 2 ** 20} MB; nothing was migrated`);
    bytes += changed.length + EACH_BYTES;
    if (bytes > MOST_BYTES)
      throw new ScriptError('LIMIT_EXCEEDED', `State.migrate: scope: the values of ${scope} take more than ${MOST_BYTES / 2 ** 20} MB; nothing was migrated`);
    writes.push({ scope, key, expect: entry.revision, put: { value: changed, expiresAt: entry.expiresAt } });
  }
  if (!dry_run) {
    // Of the version that was looked at first: another migration may have come since.
    const meta = [{ name: metaName(scope), value: String(to_version), expect: stored ?? '' }];
    const held = await store().commit(writes, now, { meta, lists: [{ scope, options: {}, keys }], charge: context });
    if (!held) throw new ScriptError('CONFLICT', `State.migrate: values of ${scope} were changed meanwhile; nothing was migrated`);
  }
  return { migrated: writes.length, skipped, failed: 0, from_version, to_version, duration_ms: elapsedMs(started) };
}

/** Throws what a function of the script threw as it is, and what cannot be transformed with its key. */
async function changeOne(context: Context, key: string, value: ValueMap, steps: readonly Transformation[]): Promise<ValueMap> {
  let own: unknown;
  try {
    return await transform(value, steps, (fn, old, record) =>
      context.invoke(fn, [old, record]).catch((error) => {
        own = error;
        throw error;
      }),
    );
  } catch (error) {
    if (error === own) throw error;
    const { code, message } = asScriptError(error);
    throw new ScriptError(code, `State.migrate: ${key}: ${message}; nothing was migrated`, { cause: error, details: { key, failed: 1 } });
  }
}

function isMap(value: Value): value is ValueMap {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
