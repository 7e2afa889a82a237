import { existsSync, readdirSync, statSync } from 'node:fs';
import { constants, DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { allowedBy } from '../../call/capability.ts';
import { ScriptError } from '../../errors.ts';
import type { DatabaseFile } from '../files/database.ts';

export interface SqliteInput {
  readonly file: DatabaseFile;
  readonly write: boolean;
  readonly sql: string;
  /** By position or by name. */
  readonly params: readonly SQLInputValue[] | Readonly<Record<string, SQLInputValue>>;
  readonly maxRows: number;
}

export type SqliteResult = {
  columns: string[];
  rows: Record<string, SQLOutputValue>[];
  count: number;
  truncated: boolean;
  changes?: number;
  last_insert_id?: number | bigint;
};

/** What all rows of one answer have at most, bytes. */
export const MOST_BYTES = 4 * 2 ** 20;
const MOST_VALUE_BYTES = 16 * 2 ** 20;
const BUSY_MS = 2_000;

/** Pragmas that only tell something about the table or index that is their argument, and those that take none. */
const ABOUT: ReadonlySet<string> = new Set(['foreign_key_list', 'index_info', 'index_list', 'index_xinfo', 'table_info', 'table_list', 'table_xinfo']);
const TELLING: ReadonlySet<string> = new Set([
  ...ABOUT,
  'application_id',
  'data_version',
  'encoding',
  'page_count',
  'page_size',
  'schema_version',
  'user_version',
]);
const FORBIDDEN_FUNCTIONS: ReadonlySet<string> = new Set(['load_extension', 'fts3_tokenizer', 'readfile', 'writefile', 'edit', 'sqlite_log']);

const READING = [constants.SQLITE_SELECT, constants.SQLITE_READ, constants.SQLITE_RECURSIVE];
const WRITING = [
  'ALTER_TABLE',
  'ANALYZE',
  'CREATE_INDEX',
  'CREATE_TABLE',
  'CREATE_TEMP_INDEX',
  'CREATE_TEMP_TABLE',
  'CREATE_TRIGGER',
  'CREATE_VIEW',
  'DELETE',
  'DROP_INDEX',
  'DROP_TABLE',
  'DROP_TEMP_INDEX',
  'DROP_TEMP_TABLE',
  'DROP_TRIGGER',
  'DROP_VIEW',
  'DROP_VTABLE',
  'INSERT',
  'REINDEX',
  'UPDATE',
] as const;
const WRITING_ACTIONS = WRITING.map((name) => constants[`SQLITE_${name}`]);
const TABLE_MODULES: ReadonlySet<string> = new Set(['fts5', 'rtree']);

/** Runs one statement. Throws BAD_ARGUMENT for one that is wrong, NOT_ALLOWED for one that reaches beyond its file, TOOL_FAILED for a damaged file. */
export function run({ file, write, sql, params, maxRows }: SqliteInput): SqliteResult {
  using database = open(file, write);
  database.exec('PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
  const guard = createGuard(write);
  database.setAuthorizer(guard.authorize);
  try {
    const statement = database.prepare(sql);
    const rest = sql.slice(statement.sourceSQL.length).replaceAll(/--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$)|[\s;]+/g, '');
    if (rest !== '') throw new ScriptError('BAD_ARGUMENT', 'sqlite_query: sql: expected one statement, got more');
    return collect(statement, params, maxRows);
  } catch (error) {
    throw guard.refused ?? explain(error);
  }
}

/** Opens the file and makes sure that it is the one that was checked: names may have been swapped since. */
function open({ path, device, inode }: DatabaseFile, write: boolean): DatabaseSync {
  const limits = { attach: 0, length: MOST_VALUE_BYTES, sqlLength: 1_000_000, exprDepth: 200, functionArg: 100 };
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path, { readOnly: !write, timeout: BUSY_MS, defensive: true, enableDoubleQuotedStringLiterals: false, limits });
  } catch (error) {
    throw explain(error);
  }
  const is = (at: string) => {
    const stats = statSync(at, { bigint: true, throwIfNoEntry: false });
    return stats?.dev === device && stats.ino === inode;
  };
  const same = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').some((fd) => is(`/proc/self/fd/${fd}`)) : is(path);
  if (same) return database;
  database.close();
  throw new ScriptError('NOT_ALLOWED', 'sqlite_query: the file changed while it was opened');
}

/** Decides on every table, function, pragma and action that a statement uses, before it runs; remembers what it refused. */
function createGuard(write: boolean) {
  const guard = {
    refused: undefined as ScriptError | undefined,
    authorize(action: number, first: string | null, second: string | null): number {
      const why = objection(action, first, second, write);
      if (why === undefined) return constants.SQLITE_OK;
      guard.refused ??= new ScriptError('NOT_ALLOWED', `sqlite_query: sql: ${why}`);
      return constants.SQLITE_DENY;
    },
  };
  return guard;
}

function objection(action: number, first: string | null, second: string | null, write: boolean): string | undefined {
  if (READING.includes(action)) return undefined;
  if (action === constants.SQLITE_FUNCTION) return FORBIDDEN_FUNCTIONS.has((second ?? '').toLowerCase()) ? `${second} may not be called` : undefined;
  if (action === constants.SQLITE_PRAGMA) {
    const name = (first ?? '').toLowerCase();
    const fits = TELLING.has(name) && (second === null || ABOUT.has(name));
    return fits || (write && name === 'user_version') ? undefined : `the pragma ${name} may not be used`;
  }
  if (action === constants.SQLITE_ATTACH || action === constants.SQLITE_DETACH)
    return 'ATTACH, DETACH and VACUUM may not be used: a query stays in its own file';
  if (action === constants.SQLITE_TRANSACTION || action === constants.SQLITE_SAVEPOINT) return 'each statement is a transaction of its own';
  if (!WRITING_ACTIONS.includes(action) && action !== constants.SQLITE_CREATE_VTABLE) return 'it is of a kind that may not be used';
  if (!write) return `the file is open for reading only; to change it give write = true (and ${allowedBy('write', 'DIR')})`;
  if (action !== constants.SQLITE_CREATE_VTABLE || TABLE_MODULES.has((second ?? '').toLowerCase())) return undefined;
  return `virtual tables may be of ${[...TABLE_MODULES].join(' or ')} only`;
}

function collect(statement: StatementSync, params: SqliteInput['params'], maxRows: number): SqliteResult {
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const args = Array.isArray(params) ? params : [params];
  const columns = distinct(statement.columns().map(({ name }) => name));
  if (columns.length === 0) {
    const { changes, lastInsertRowid } = statement.run(...args);
    return { columns, rows: [], count: 0, truncated: false, changes: Number(changes), last_insert_id: narrow(BigInt(lastInsertRowid)) as number | bigint };
  }
  const rows: Record<string, SQLOutputValue>[] = [];
  let bytes = 0;
  for (const row of statement.iterate(...args) as Iterable<unknown> as Iterable<SQLOutputValue[]>) {
    bytes += row.reduce<number>((sum, value) => sum + 8 + (typeof value === 'string' || value instanceof Uint8Array ? value.length : 0), 0);
    if (rows.length >= maxRows || bytes > MOST_BYTES) return { columns, rows, count: rows.length, truncated: true };
    rows.push(Object.fromEntries(columns.map((name, at) => [name, narrow(row[at] ?? null)])));
  }
  return { columns, rows, count: rows.length, truncated: false };
}

/** Columns of the same name get a number each, so that none is lost. */
function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name}_${times}`;
  });
}

function narrow(value: SQLOutputValue): SQLOutputValue {
  return typeof value === 'bigint' && value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
}

/** SQLite's primary result codes (sqlite.org/rescode.html) as ours. */
function explain(error: unknown): unknown {
  if (error instanceof ScriptError) return error;
  const { errcode, code, message } = error as Error & { errcode?: number; code?: string };
  const primary = (errcode ?? 0) & 0xff;
  if (primary === 5 || primary === 6)
    return new ScriptError('CONFLICT', 'sqlite_query: the database is locked by somebody else', { details: { retryable: true } });
  if (primary === 7 || primary === 18) return new ScriptError('LIMIT_EXCEEDED', `sqlite_query: ${message}`);
  if (primary === 1 || primary === 20 || primary === 25 || code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_STATE')
    return new ScriptError('BAD_ARGUMENT', `sqlite_query: sql: ${message}`);
  return new ScriptError('TOOL_FAILED', `sqlite_query: ${message}`);
}
