import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import { ScriptError } from '../../src/errors.ts';
import { cut, joined, type Pieces } from '../../src/worker/pieces.ts';
import { inWorker } from '../../src/worker/pool.ts';
import { createPool, type Listener, type Worker } from '../../src/worker/queue.ts';
import { turnsDuring } from '../support/turns.ts';
import { count } from './tasks/sample.ts';

const SAMPLE = new URL('./tasks/sample.ts', import.meta.url);
const LONG = { deadlineMs: 60_000, run: { tenant: 'default', cpu: new Cpu() } };
const sample = <T>(args: object, options: Partial<Parameters<typeof inWorker>[2]> = {}) => inWorker<T>(SAMPLE, args, { ...LONG, ...options });
const program = promisify(execFile);

describe('a job', () => {
  it('gets its arguments and gives its result', async () => {
    const value = { text: 'ä', list: [1, 2.5, 2n ** 60n], bytes: new Uint8Array([1, 2]), none: null };
    expect(await sample({ do: 'echo', value })).toEqual(value);
  });

  it('gives long lists whole and in order, and leaves others their turns while they come', async () => {
    const rows = Array.from({ length: 70_001 }, (_, i) => ({ b: i, a: `text ${i}`, c: i % 2 === 0 ? null : [1.5, 2n ** 60n] }));
    const value = { columns: ['b', 'a'], rows, count: rows.length, few: [undefined] };
    const result = await sample<typeof value>({ do: 'make', rows: rows.length });
    expect(JSON.stringify(Object.keys(result))).toBe('["columns","rows","count","few"]');
    expect(result).toEqual(value);
    expect(Object.keys(result.rows[70_000] as object)).toEqual(['b', 'a', 'c']);
    const { turns } = await turnsDuring(() => joined(cut(value) as Pieces, new Cpu()));
    expect(turns).toBeGreaterThan(1);
    expect(cut(new Uint8Array(10_000))).toBeUndefined();
  });

  it('takes buffers over instead of copying them', async () => {
    const bytes = new Uint8Array([7, 8, 9]);
    expect(await sample({ do: 'echo', value: bytes }, { transfer: [bytes.buffer] })).toEqual(new Uint8Array([7, 8, 9]));
    expect(bytes.length).toBe(0);
  });

  it('fails with the very error: code, message, method, details', async () => {
    const error = await sample({ do: 'fail' }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ScriptError);
    expect(error).toMatchObject({ code: 'CONFLICT', message: 'as asked', method: 'Try.fail', details: { n: 1 } });
    await expect(sample({ do: 'break' })).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/^internal error: .*undefined/) });
  });

  it('that cannot be copied is refused, and so is a result', async () => {
    await expect(sample({ do: 'echo', value: () => 1 })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
    await expect(sample({ do: 'uncopyable' })).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await sample({ do: 'echo', value: 1 })).toBe(1);
  });

  it('sees nothing of the environment', async () => {
    expect(await sample({ do: 'environment' })).toEqual([]);
  });

  it('leaves the event loop free, which the same work on the loop does not', async () => {
    const to = 12_000_000;
    let value = 0;
    const { turns: beside } = await turnsDuring(async () => {
      value = await sample<number>({ do: 'count', to });
    });
    const { turns: inside } = await turnsDuring(() => expect(count(to)).toBe(value));
    expect(inside).toBeLessThanOrEqual(1);
    expect(beside).toBeGreaterThan(10);
  });
});

describe('the run whose job it is', () => {
  it('is charged with what its jobs compute, and with all the time of one that has to be ended', async () => {
    const cpu = new Cpu();
    const run = { tenant: 'default', cpu };
    await sample({ do: 'echo', value: 1 }, { run });
    const little = cpu.ms;
    await sample({ do: 'count', to: 5_000_000 }, { run });
    expect(cpu.ms).toBeGreaterThan(little + 5);
    const much = cpu.ms;
    await sample({ do: 'endless' }, { run, deadlineMs: 20 }).catch(() => undefined);
    expect(cpu.ms).toBeGreaterThan(much + 15);
  });

  it('may end by what it is charged with: the thread serves others all the same', async () => {
    const abort = new AbortController();
    const cpu = new Cpu();
    cpu.onHost = () => abort.abort();
    for (let i = 0; i < 3; i++) await sample({ do: 'count', to: 1_000 }, { signal: abort.signal, run: { tenant: 'bad', cpu } }).catch(() => undefined);
    expect(await Promise.all([1, 2, 3].map((value) => sample({ do: 'echo', value })))).toEqual([1, 2, 3]);
  });

  it('takes its turn among tenants: a hundred jobs of one do not hold the job of another', async () => {
    const begun: unknown[] = [];
    const worker: Worker = {
      start(job, _, { report }) {
        begun.push(job.args);
        setImmediate(() => report({ kind: 'done', value: null, cpuMs: 0 }));
      },
      release: () => undefined,
      end: () => undefined,
      ended: false,
    };
    const pool = createPool(1, () => worker);
    const cpu = new Cpu();
    const job = (tenant: string, args: string) => pool.run({ task: '', args }, { deadlineMs: 1_000, run: { tenant, cpu } });
    await Promise.all([...['a1', 'a2', 'a3', 'a4'].map((name) => job('a', name)), job('b', 'b1'), job('c', 'c1'), job('b', 'b2')]);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('never has all workers: jobs of another find one, however long those of the first take', async () => {
    const begun: unknown[] = [];
    const end: (() => void)[] = [];
    const pool = createPool(3, () => ({
      start(job, _, { report }) {
        begun.push(job.args);
        end.push(() => report({ kind: 'done', value: null, cpuMs: 0 }));
      },
      release: () => undefined,
      end: () => undefined,
      ended: false,
    }));
    const cpu = new Cpu();
    const jobs = ['a1', 'a2', 'a3', 'b1', 'b2', 'a4'].map((args) => pool.run({ task: '', args }, { deadlineMs: 1_000, run: { tenant: args.charAt(0), cpu } }));
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    // What ends makes room for the tenant whose turn it is.
    for (let at = 0; at < jobs.length; at++) end[at]?.();
    await Promise.all(jobs);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
  });
});

it('a worker that has ended while it was idle gets no job', async () => {
  const made: { ended: boolean }[] = [];
  const pool = createPool(1, () => {
    const worker = { ended: false, start: (_: unknown, __: unknown, { report }: Listener) => report({ kind: 'done', value: made.length, cpuMs: 0 }) };
    made.push(worker);
    return {
      ...worker,
      get ended() {
        return worker.ended;
      },
      release: () => undefined,
      end: () => undefined,
    };
  });
  const job = () => pool.run({ task: '', args: null }, { deadlineMs: 1_000, run: { tenant: 'a', cpu: new Cpu() } });
  expect([await job(), await job()]).toEqual([1, 1]);
  (made[0] as { ended: boolean }).ended = true;
  expect([await job(), await job()]).toEqual([2, 2]);
});

describe('a job that does not end', () => {
  it('is ended at its deadline, and a fresh thread takes its place', async () => {
    for (let round = 0; round < 3; round++)
      await expect(sample({ do: 'endless' }, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'TIMEOUT', message: 'the work took longer than 20 ms' });
    expect(await sample({ do: 'echo', value: 'alive' })).toBe('alive');
  });

  it('is ended by its signal, with the reason if that is ours', async () => {
    const abort = new AbortController();
    const work = sample({ do: 'endless' }, { signal: abort.signal });
    setImmediate(() => abort.abort(new ScriptError('LIMIT_EXCEEDED', 'enough')));
    await expect(work).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'enough' });
    await expect(sample({ do: 'endless' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('does not stop those that wait behind it, and one that waits can be cancelled', async () => {
    const abort = new AbortController();
    const endless = Array.from({ length: 4 }, () => sample({ do: 'endless' }, { deadlineMs: 20 }).catch((error: ScriptError) => error.code));
    const waiting = sample({ do: 'echo', value: 'never' }, { signal: abort.signal }).catch((error: ScriptError) => error.code);
    const last = sample({ do: 'echo', value: 'last' });
    abort.abort();
    expect(await waiting).toBe('CANCELLED');
    expect(await Promise.all(endless)).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
    expect(await last).toBe('last');
  });

  it('is not charged for the time it waits for a thread', async () => {
    const blockers = Array.from({ length: 4 }, () => sample({ do: 'endless' }, { deadlineMs: 100 }).catch(() => 'blocked'));
    expect(await sample({ do: 'echo', value: 'in time' }, { deadlineMs: 90 })).toBe('in time');
    await Promise.all(blockers);
  });
});

describe('a thread that dies', () => {
  it('of memory fails its job only', async () => {
    await expect(sample({ do: 'hoard' })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await sample({ do: 'echo', value: 'alive' })).toBe('alive');
  });

  it('by itself fails its job only', async () => {
    await expect(sample({ do: 'exit' })).rejects.toMatchObject({ code: 'INTERNAL', message: 'internal error: a thread ended by itself' });
    expect(await sample({ do: 'echo', value: 'alive' })).toBe('alive');
  });
});

describe('a process', { timeout: 60_000 }, () => {
  const printed = '{ n: [ 1, 2n ] }\nquiet\n{ n: [ 1, 2n ] }\n';

  it('is kept alive by its jobs and not by idle threads, and prints nothing of theirs', async () => {
    expect(await program(process.execPath, [join(import.meta.dirname, 'tasks/print.ts')])).toEqual({ stdout: printed, stderr: '' });
  });
});
