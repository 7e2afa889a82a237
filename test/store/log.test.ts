import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { uncharged } from '../../src/call/cpu.ts';
import { ScriptError } from '../../src/errors.ts';
import { Database } from '../../src/store/database.ts';
import { Log } from '../../src/store/log.ts';
import { Readers } from '../../src/store/readers.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-log-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const MB = 2 ** 20;

/** A log of a file without content, and what is asked for. */
function logOf(name: string, empty: (path: string) => void) {
  const path = join(root, name);
  writeFileSync(path, '');
  const asked: (number | 'empty')[] = [];
  const readers = new Readers();
  const log = new Log(path, {
    readers,
    inLine: (work) => work(),
    setAutomatic: (pages) => asked.push(pages),
    empty: async () => {
      asked.push('empty');
      empty(path);
    },
  });
  const grow = (bytes: number) => {
    truncateSync(path, bytes);
    log.changed();
  };
  return { log, readers, asked, grow };
}

const turn = () => new Promise((done) => setImmediate(done));

describe('a write-ahead log', () => {
  it('that is long is not moved by writes but in a thread, while nobody reads', async () => {
    const { readers, asked, grow } = logOf('long', (path) => truncateSync(path, 0));
    grow(5 * MB);
    expect(asked).toEqual([]);
    let end = () => {};
    const reading = readers.read(undefined, () => new Promise<void>((done) => (end = done)));
    await turn();
    grow(9 * MB);
    let read = false;
    const next = readers.read(undefined, () => {
      read = true;
    });
    await turn();
    expect([asked, read]).toEqual([[0], false]);
    end();
    await Promise.all([reading, next]);
    await turn();
    expect(asked).toEqual([0, 'empty', 1_000]);
    grow(9 * MB);
    await turn();
    expect(asked).toEqual([0, 'empty', 1_000, 0, 'empty', 1_000]);
  });

  it('that becomes long by what a thread writes stops nobody from reading before that is done', async () => {
    const path = join(root, 'restored.db');
    let emptied = false;
    const emptyLog = async () => {
      emptied = true;
    };
    const db = new Database(path, { durability: 'normal' }, { noted: () => {}, emptyLog });
    let end = () => {};
    const restoring = db.writeBeside(() => new Promise<void>((done) => (end = done)));
    await db.write(() => db.run("INSERT INTO state VALUES ('s', 'k', zeroblob(9000000), 1, NULL)"));
    const count = (): Promise<number> =>
      db.readInTurns({ run: uncharged('a') }, function* (reader) {
        yield;
        return [...reader.each('SELECT key FROM state')].length;
      });
    for (let reads = 0; reads < 5; reads++) expect(await count()).toBe(1);
    expect([emptied, db.isBusy]).toEqual([false, true]);
    end();
    await restoring;
    while (db.isBusy) await turn();
    expect(emptied).toBe(true);
    db.close();
  });

  it('that is very long is waited for by writes, once where it cannot be moved', async () => {
    const { log, asked, grow } = logOf('very long', () => {
      throw new Error('somebody elsewhere reads');
    });
    grow(9 * MB);
    expect(log.tend()).toBeUndefined();
    await turn();
    const other = logOf('waited for', (path) => truncateSync(path, 0));
    other.grow(65 * MB);
    expect(other.log.tend()).toBeInstanceOf(Promise);
    await other.log.tend();
    expect([other.log.tend(), other.asked]).toEqual([undefined, [0, 'empty', 1_000]]);
    grow(65 * MB);
    expect([log.tend(), asked]).toEqual([undefined, [0, 'empty']]);
  });
});

describe('readers of a database', () => {
  it('are two at once; the others wait, and leave when they are cancelled', async () => {
    const readers = new Readers();
    let [now, most] = [0, 0];
    const read = (signal?: AbortSignal) =>
      readers.read(signal, async () => {
        most = Math.max(most, ++now);
        await turn();
        now--;
      });
    const abort = new AbortController();
    const all = Array.from({ length: 9 }, () => read());
    const cancelled = read(abort.signal);
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await Promise.all(all);
    await expect(read(abort.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([now, most]).toEqual([0, 2]);
  });

  it('end when their call is cancelled or its run has ended', async () => {
    const db = new Database(join(root, 'state.db'), { durability: 'normal' });
    function* endless(): Generator<undefined, void> {
      for (;;) yield;
    }
    const abort = new AbortController();
    const run = uncharged('a');
    const cancelled = db.readInTurns({ run: uncharged('b'), signal: abort.signal }, endless);
    const ended = db.readInTurns({ run }, endless);
    await turn();
    abort.abort();
    run.cpu.ended = new ScriptError('CANCELLED', 'the run has ended');
    await expect(cancelled).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(ended).rejects.toMatchObject({ code: 'CANCELLED', message: 'the run has ended' });
    db.close();
  });
});
