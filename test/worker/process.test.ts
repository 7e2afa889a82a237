import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import { ScriptError } from '../../src/errors.ts';
import { inProcess } from '../../src/worker/process.ts';

const SAMPLE = new URL('./tasks/sample.ts', import.meta.url);
const sample = <T>(args: object, options: Partial<Parameters<typeof inProcess>[2]> = {}) =>
  inProcess<T>(SAMPLE, args, { deadlineMs: 60_000, run: { tenant: 'default', cpu: new Cpu() }, ...options });

/** Whether there is such a process. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let turn = 0; turn < 2_000 && lives(pid); turn++) await new Promise((done) => setTimeout(done, 5));
  return !lives(pid);
}

describe.concurrent('a job in a process of its own', { timeout: 60_000 }, () => {
  it('gets its arguments, gives its result, and fails with the very error', async () => {
    const value = { text: 'ä', list: [1, 2.5, 2n ** 60n], bytes: new Uint8Array([1, 2]), none: null };
    expect(await sample({ do: 'echo', value })).toEqual(value);
    expect(await sample<number>({ do: 'pid' })).not.toBe(process.pid);
    expect(await sample({ do: 'environment' })).toEqual([]);
    await expect(sample({ do: 'fail' })).rejects.toMatchObject({ code: 'CONFLICT', message: 'as asked', method: 'Try.fail', details: { n: 1 } });
  });

  it('is ended inside a query that does not return, at its deadline and by its signal', async () => {
    const pid = await sample<number>({ do: 'pid' });
    await expect(sample({ do: 'stuck' }, { deadlineMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await gone(pid)).toBe(true);
    const abort = new AbortController();
    const work = sample({ do: 'stuck' }, { signal: abort.signal });
    setTimeout(() => abort.abort(new ScriptError('CANCELLED', 'enough')), 50);
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED', message: 'enough' });
    expect(await sample({ do: 'echo', value: 1 })).toBe(1);
  });

  it('fails alone when its process dies', async () => {
    await expect(sample({ do: 'exit' })).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(await sample({ do: 'echo', value: 1 })).toBe(1);
  });

  it('goes when the process that asked is killed', async () => {
    const asking = spawn(process.execPath, [join(import.meta.dirname, 'tasks/ask.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await once(asking.stdout, 'data');
    const pid = Number(printed);
    expect(lives(pid)).toBe(true);
    asking.kill('SIGKILL');
    expect(await gone(pid)).toBe(true);
  });
});
