import { anyMap, anyValue, bytes } from '../../call/schema.ts';
import { Float, type Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { inProcess } from '../../worker/process.ts';
import { z } from '../../zod.ts';
import { explainWork } from '../beside.ts';
import { databaseFile } from '../files/database.ts';
import { defineTool } from '../tool.ts';
import type { SqliteInput, SqliteResult } from '../work/sqlite.ts';

const cell = z.union([z.null(), z.string(), z.number(), z.bigint(), bytes]);

/** SQL on a database file of the allowed folders. */
export const sqliteQuery = defineTool(
  {
    name: 'sqlite_query',
    description: 'Runs one SQL statement on a SQLite file',
    category: 'data',
    tags: ['database', 'sql'],
    input: z.strictObject({
      path: z.string(),
      sql: z.string().min(1).max(100_000).describe('one statement; it reaches no other file'),
      params: z
        .union([z.array(anyValue), anyMap])
        .default([])
        .describe('values for ? by position, or for :name by name'),
      write: z.boolean().default(false).describe('the statement may change the file, which is made where there is none'),
      limit: z.int().min(1).max(10_000).default(1_000).describe('rows; all together up to 4 MB'),
      timeout_ms: z.int().min(1).max(25_000).default(5_000),
    }),
    output: z.object({
      columns: z.array(z.string()),
      rows: z.array(z.record(z.string(), cell)),
      count: z.int(),
      truncated: z.boolean().describe('there are more rows'),
      changes: z.int().optional(),
      last_insert_id: z.union([z.int(), z.bigint()]).optional(),
    }),
    examples: [
      {
        lua: `local function query(sql, params) return Tool.execute("sqlite_query", {path = "shop.db", sql = sql, params = params or {}, write = true}) end
query("CREATE TABLE items (name TEXT, price REAL)")
query("INSERT INTO items VALUES (?, ?)", {"tea", 4.5})
print(Tool.execute("sqlite_query", {path = "shop.db", sql = "SELECT name FROM items WHERE price > :least", params = {least = 1}}).rows[1].name)`,
        javascript: `const query = (sql, params) => Tool.execute("sqlite_query", {path: "shop.db", sql, params: params ?? [], write: true})
query("CREATE TABLE items (name TEXT, price REAL)")
query("INSERT INTO items VALUES (?, ?)", ["tea", 4.5])
print(Tool.execute("sqlite_query", {path: "shop.db", sql: "SELECT name FROM items WHERE price > :least", params: {least: 1}}).rows[0].name)`,
      },
    ],
    async execute({ path, sql, params, write, limit, timeout_ms }, context) {
      const input: SqliteInput = { file: databaseFile(context, path, write), sql, write, params: bind(params), maxRows: limit };
      const task = new URL('../work/sqlite.ts', import.meta.url);
      try {
        return await inProcess<SqliteResult>(task, input, { deadlineMs: timeout_ms, signal: context.signal, run: context.run });
      } catch (error) {
        throw explainWork(context, error);
      }
    },
  },
  'builtin',
);

/** What SQLite can hold: integers as such, for a plain number would become a double; true and false are 1 and 0. */
function bind(params: readonly Value[] | { [key: string]: Value }): SqliteInput['params'] {
  const one = (value: Value, at: string | number) => {
    if (typeof value === 'boolean') return BigInt(value);
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
    if (value instanceof Float) return value.value;
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
    throw new ScriptError('BAD_ARGUMENT', `sqlite_query.params.${at}: expected text, a number, bytes, a boolean or null; turn lists and maps into JSON first`);
  };
  if (Array.isArray(params)) return params.map((value, at) => one(value, at));
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, one(value, name)]));
}
