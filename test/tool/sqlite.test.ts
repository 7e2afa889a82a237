import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workspace } from '../support/workspace.ts';

const work = workspace();
afterAll(() => work[Symbol.dispose]());
beforeAll(() => {
  using database = new DatabaseSync(join(work.inside, 'shop.db'));
  database.exec(`CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, image BLOB);
    INSERT INTO items VALUES (1, 'tea', 4.5, x'00ff'), (2, 'bread', NULL, NULL), (9007199254740993, 'big', 1e300, NULL)`);
  using other = new DatabaseSync(join(work.outside, 'secret.db'));
  other.exec(`CREATE TABLE secrets (word TEXT); INSERT INTO secrets VALUES ('secret')`);
});
const query = (sql: string, more: Record<string, unknown> = {}) => work.tool('sqlite_query', { path: 'shop.db', sql, ...more });
const refusal = (sql: string, more: Record<string, unknown> = {}) => work.refusal('sqlite_query', { path: 'shop.db', sql, ...more });

describe('sqlite_query', { timeout: 90_000 }, () => {
  it('gives rows with their types', async () => {
    expect(await query('SELECT * FROM items ORDER BY id')).toEqual({
      columns: ['id', 'name', 'price', 'image'],
      rows: [
        { id: 1, name: 'tea', price: 4.5, image: new Uint8Array([0, 255]) },
        { id: 2, name: 'bread', price: null, image: null },
        { id: 9007199254740993n, name: 'big', price: 1e300, image: null },
      ],
      count: 3,
      truncated: false,
    });
    expect(await query('SELECT 1 AS a, 2 AS a')).toMatchObject({ columns: ['a', 'a_2'], rows: [{ a: 1, a_2: 2 }] });
    expect((await query('PRAGMA table_info(items)')).count).toBe(4);
    expect(await query("SELECT 1 -- and that's all\n; /* really */ ;")).toMatchObject({ count: 1 });
  });

  it('binds parameters by position and by name', async () => {
    expect(await query('SELECT name FROM items WHERE name = ?', { params: ["tea' OR 1=1 --"] })).toMatchObject({ rows: [] });
    expect(await query('SELECT name FROM items WHERE name = :n OR id = $id', { params: { n: 'tea', id: 2n } })).toMatchObject({ count: 2 });
    expect(await query('SELECT ? AS yes, typeof(?) AS bytes, ? AS none', { params: [true, new Uint8Array([1]), null] })).toMatchObject({
      rows: [{ yes: 1, bytes: 'blob', none: null }],
    });
    expect(await refusal('SELECT ?', { params: [[1]] })).toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/^sqlite_query\.params\.0: expected text/),
    });
  });

  it('writes when asked, and makes the file', async () => {
    const write = (sql: string, params: unknown = []) => work.tool('sqlite_query', { path: 'new.db', sql, params, write: true });
    await write('CREATE TABLE t (a)');
    expect(await write('INSERT INTO t VALUES (?), (?)', [1, 'two'])).toMatchObject({ changes: 2, last_insert_id: 2, rows: [] });
    expect(await write('UPDATE t SET a = a || a RETURNING a')).toMatchObject({ rows: [{ a: '11' }, { a: 'twotwo' }] });
    await write('CREATE VIRTUAL TABLE words USING fts5(text)');
    await write('INSERT INTO words VALUES (?)', ['quick brown fox']);
    expect(await work.tool('sqlite_query', { path: 'new.db', sql: 'SELECT text FROM words WHERE words MATCH ?', params: ['fox'] })).toMatchObject({ count: 1 });
  });

  it.each([
    ['DELETE FROM items', 'write = true'],
    ['CREATE TABLE x (a)', 'write = true'],
    ['WITH x AS (SELECT 1) INSERT INTO items (name) SELECT 1 FROM x', 'write = true'],
    ["ATTACH 'other.db' AS other", 'stays in its own file'],
    ["VACUUM INTO 'copy.db'", 'stays in its own file'],
    ['PRAGMA database_list', 'the pragma database_list may not be used'],
    ['SELECT file FROM pragma_database_list', 'the pragma database_list may not be used'],
    ['PRAGMA journal_mode = DELETE', 'the pragma journal_mode may not be used'],
    ['PRAGMA writable_schema = ON', 'may not be used'],
    ['PRAGMA hard_heap_limit = 0', 'may not be used'],
    ['PRAGMA user_version = 3', 'may not be used'],
    ["SELECT load_extension('x')", 'load_extension may not be called'],
    ["SELECT LOAD_EXTENSION('x', 'y')", 'may not be called'],
    ['BEGIN', 'a transaction of its own'],
    ['SAVEPOINT x', 'a transaction of its own'],
  ])('refuses %s', async (sql, message) => {
    expect(await refusal(sql)).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining(message) });
  });

  it.each([
    ["ATTACH 'other.db' AS other", 'stays in its own file'],
    ["VACUUM INTO 'copy.db'", 'stays in its own file'],
    ['PRAGMA writable_schema = ON', 'may not be used'],
    ["INSERT INTO items (name) VALUES (load_extension('x'))", 'may not be called'],
    ['CREATE VIRTUAL TABLE x USING dbstat', 'fts5 or rtree only'],
    ["CREATE TRIGGER t AFTER INSERT ON items BEGIN SELECT load_extension('x'); END", 'may not be called'],
  ])('refuses %s when writing, too', async (sql, message) => {
    const error = await refusal(sql, { write: true }).catch((none) => none);
    if (/TRIGGER/.test(sql)) {
      // The body of a trigger is looked at when it fires.
      expect((await refusal('INSERT INTO items (name) VALUES (1)', { write: true })).code).toBe('NOT_ALLOWED');
      await query('DROP TRIGGER t', { write: true });
      return;
    }
    expect(error).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining(message) });
    expect(readdirSync(work.inside).filter((name) => name.startsWith('copy') || name.startsWith('other'))).toEqual([]);
  });

  it('takes a comment behind the statement, closed or not', async () => {
    for (const comment of ['-- a', '/* a */ /* b */', '/* a', '/* '.repeat(30_000)])
      expect((await query(`SELECT 1 AS n; ${comment}`)).rows).toEqual([{ n: 1 }]);
  });

  it.each<[string, string, Record<string, unknown>?]>([
    ['SELECT 1; DROP TABLE items', 'expected one statement, got more'],
    ['SELEC 1', 'near "SELEC": syntax error'],
    ['SELECT * FROM missing', 'no such table: missing'],
    ['SELECT "no such column"', 'no such column'],
    ['SELECT :a', 'unknown named parameter', { params: { b: 1 } }],
  ])('tells what is wrong with %s', async (sql, message, more = {}) => {
    expect(await refusal(sql, more)).toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(new RegExp(`^sqlite_query: sql: .*${message}`, 'i')),
    });
  });

  it('cuts answers by rows and by bytes, and refuses values that are too large', async () => {
    const numbers = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)';
    expect(await query(`${numbers} SELECT x FROM n`, { limit: 5 })).toMatchObject({ count: 5, truncated: true });
    expect(await query(`${numbers} SELECT zeroblob(1000000) FROM n`)).toMatchObject({ count: 4, truncated: true });
    expect((await refusal('SELECT zeroblob(100000000)')).code).toBe('LIMIT_EXCEEDED');
    expect(await query('SELECT 1')).toMatchObject({ truncated: false });
  });

  it('ends a query that does not return, and a query that hoards memory', async () => {
    const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n';
    expect(await refusal(endless, { timeout_ms: 100 })).toMatchObject({ code: 'TIMEOUT', message: 'sqlite_query: the work took longer than 100 ms' });
    const hoarding = `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000) SELECT x, printf('%14000000s', x) AS b FROM n ORDER BY x DESC`;
    expect((await refusal(hoarding, { timeout_ms: 25_000 })).code).toBe('LIMIT_EXCEEDED');
    expect(await query('SELECT 1')).toMatchObject({ count: 1 });
  });

  it('leaves a file whole when a writer is ended', async () => {
    const more = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) INSERT INTO items (name) SELECT 'row ' || x FROM n";
    expect(await refusal(more, { write: true, timeout_ms: 300 })).toMatchObject({ code: 'TIMEOUT' });
    expect(await query('SELECT count(*) AS n FROM items', { write: true })).toMatchObject({ rows: [{ n: 3 }] });
  });

  it('keeps to the allowed folders', async () => {
    symlinkSync(join(work.outside, 'secret.db'), join(work.inside, 'link.db'));
    symlinkSync(work.outside, join(work.inside, 'folder'));
    const file = (path: string, more: Record<string, unknown> = {}, grants = {}) =>
      work.refusal('sqlite_query', { path, sql: 'SELECT * FROM secrets', ...more }, grants);
    for (const path of ['link.db', 'folder/secret.db', '../outside/secret.db', join(work.outside, 'secret.db')]) {
      for (const write of [false, true]) {
        const error = await file(path, { write });
        expect(error.code).toMatch(/^(?:NOT_ALLOWED|TOOL_FAILED)$/);
        if (path !== join(work.outside, 'secret.db')) expect(error.message).not.toContain(work.outside);
      }
    }
    expect(await file('shop.db', { write: true }, { write: [] })).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining('--allow-write DIR') });
    expect(await file('shop.db', {}, { read: [] })).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining('--allow-read DIR') });
    expect(await file('none.db')).toMatchObject({ code: 'NOT_FOUND' });
    expect(existsSync(join(work.inside, 'none.db'))).toBe(false);
  });

  it('refuses links where SQLite keeps its journal, folders, pipes and files that are no database', async () => {
    symlinkSync(join(work.outside, 'target'), join(work.inside, 'trap.db-journal'));
    expect(await work.refusal('sqlite_query', { path: 'trap.db', sql: 'CREATE TABLE t (a)', write: true })).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'sqlite_query: trap.db-journal is a symbolic link',
    });
    expect(readdirSync(work.outside)).toEqual(['secret.db']);
    mkdirSync(join(work.inside, 'sub'));
    writeFileSync(join(work.inside, 'text.db'), 'this is no database, only a text that is long enough to be looked at as one'.repeat(20));
    for (const path of ['sub', 'text.db'])
      expect((await work.refusal('sqlite_query', { path, sql: 'SELECT * FROM sqlite_schema', write: path === 'sub' })).code).toBe('TOOL_FAILED');
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [join(work.inside, 'pipe.db')]);
    for (const write of [false, true]) expect((await work.refusal('sqlite_query', { path: 'pipe.db', sql: 'SELECT 1', write })).code).toBe('TOOL_FAILED');
  });
});
