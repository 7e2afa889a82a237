import { copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ScriptError } from '../../src/errors.ts';
import { tools } from '../../src/tool/registry.ts';
import { testRun } from '../support/run.ts';
import { workspace } from '../support/workspace.ts';

const work = workspace();
afterAll(() => work[Symbol.dispose]());
const NODE = process.execPath;
const node = (code: string, more: Record<string, unknown> = {}) => work.tool('process', { program: NODE, args: ['-e', code], ...more }, { programs: [NODE] });
const refusal = (input: Record<string, unknown>, grants: object = { programs: [NODE] }) => work.refusal('process', input, grants);

/** Waits until a process has gone; false when it does not go. */
async function gone(pid: number): Promise<boolean> {
  for (let turn = 0; turn < 2_000; turn++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((done) => setTimeout(done, 5));
  }
  return false;
}

describe.concurrent('process', { timeout: 60_000 }, () => {
  it('gives output, errors and status', async () => {
    expect(await node('console.log("out ä"); console.error("err"); process.exit(3)')).toEqual({
      ok: false,
      exit_code: 3,
      stdout: 'out ä\n',
      stderr: 'err\n',
      truncated: false,
      duration_ms: expect.any(Number),
    });
    expect(await node('process.stdin.pipe(process.stdout)', { input: 'given' })).toMatchObject({ ok: true, stdout: 'given' });
    expect((await node('process.stdout.write(Buffer.from([255, 0]))')).stdout).toEqual(new Uint8Array([255, 0]));
    expect(await node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)')).toMatchObject({ ok: false, exit_code: null, signal: 'SIGTERM' });
    expect(await node('process.stdin.destroy()', { input: 'x'.repeat(1_000_000) })).toMatchObject({ ok: true });
  });

  it('gives arguments as they are, no shell and no environment', async () => {
    const args = ['$HOME `id` $(id); rm -rf /', '*', '', '"', "'", 'a\nb'];
    const result = await work.tool(
      'process',
      { program: NODE, args: ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args] },
      { programs: [NODE] },
    );
    expect(JSON.parse(result.stdout as string)).toEqual(args);
    process.env.LLMSPELL_TEST_SECRET = 'secret';
    const { stdout } = await node('console.log(JSON.stringify(Object.keys(process.env)))');
    expect(JSON.parse(stdout as string).filter((name: string) => name !== 'SystemRoot')).toEqual([]);
  });

  it('starts allowed programs only, by the name they are allowed by', async () => {
    expect(await refusal({ program: 'rm', args: [] })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: `process: this run may not start "rm"; allowed are ${NODE} (grants.programs or --allow-program NAME)`,
      details: { outcome: 'not_sent' },
    });
    expect(await refusal({ program: NODE }, { programs: [] })).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining('allowed are none') });
    expect(await refusal({ program: NODE }, { programs: [NODE], capabilities: new Set() })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('the grant process'),
    });
    expect(await refusal({ program: 'no-such-program' }, { programs: ['no-such-program'] })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal({ program: './x' }, { programs: ['./x'] })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal({ program: NODE, args: ['a\0b'] })).toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it('never starts a program that the run could have written', async () => {
    const own = join(work.inside, 'own');
    copyFileSync(NODE, own);
    expect(await refusal({ program: own, args: ['-v'] }, { programs: [own] })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('may write'),
    });
    expect(await work.tool('process', { program: own, args: ['-v'] }, { programs: [own], write: [work.outside] })).toMatchObject({ ok: true });
  });

  it('works in an allowed folder', async () => {
    mkdirSync(join(work.inside, 'sub'));
    symlinkSync(work.outside, join(work.inside, 'door'));
    const where = async (cwd?: string) => (await node('process.stdout.write(process.cwd())', cwd === undefined ? {} : { cwd })).stdout;
    expect(await where()).toBe(realpathSync(work.inside));
    expect(await where('sub')).toBe(realpathSync(join(work.inside, 'sub')));
    for (const cwd of ['door', '..', '/', work.outside]) expect((await refusal({ program: NODE, args: ['-v'], cwd })).code).toBe('NOT_ALLOWED');
  });

  it('cuts output that is too long and ends the program', async () => {
    const result = await node('for (;;) require("fs").writeSync(1, "äääääääää".repeat(1000))', { max_output_bytes: 100_001 });
    expect(result).toMatchObject({ ok: false, truncated: true, stdout: 'ä'.repeat(50_000) });
  });

  it.skipIf(process.platform === 'win32')('kills a program that ignores its signals, at its time limit, with all that it started', async () => {
    const code = `const { spawn } = require('child_process'); for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {});
      const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { stdio: 'inherit' });
      console.log(process.pid, child.pid); setInterval(() => {}, 1000)`;
    const error = await refusal({ program: NODE, args: ['-e', code], timeout_ms: 1_500 });
    expect(error).toMatchObject({ code: 'TIMEOUT', message: expect.stringMatching(/took longer than 1500 ms$/), details: { outcome: 'unknown' } });
    const pids = String(error.details?.stdout).trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    for (const pid of pids) expect(await gone(pid)).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('kills the group when the run is cancelled', async () => {
    const { run, context } = testRun({ grants: { read: [work.inside], write: [work.inside], programs: [NODE] } });
    const file = join(work.inside, 'pid');
    writeFileSync(file, '');
    const code = `process.on('SIGTERM', () => {}); require('fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1000)`;
    const going = Promise.resolve(run.get(tools).execute(context, 'process', { program: NODE, args: ['-e', code] }));
    going.catch(() => undefined);
    let pid = 0;
    const { readFileSync } = await import('node:fs');
    for (let turn = 0; turn < 2_000 && pid === 0; turn++) {
      await new Promise((done) => setTimeout(done, 5));
      pid = Number(readFileSync(file, 'utf8'));
    }
    run.abort(new ScriptError('CANCELLED', 'no more'));
    await expect(going).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(pid).toBeGreaterThan(0);
    expect(await gone(pid)).toBe(true);
  });

  it.skipIf(process.platform === 'win32')('does not wait for children that it leaves behind, and ends them', async () => {
    const code = `const { spawn } = require('child_process');
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); child.unref(); process.stdout.write(String(child.pid), () => process.exit(0))`;
    const { stdout, ok } = await node(code);
    expect(ok).toBe(true);
    expect(await gone(Number(stdout))).toBe(true);
  });
});

describe('environment', () => {
  it('shows the allowed variables and no others', async () => {
    process.env.LLMSPELL_TEST_A = 'a';
    process.env.LLMSPELL_TEST_B = 'b';
    const grants = { environment: ['LLMSPELL_TEST_A', 'LLMSPELL_TEST_NONE'] };
    expect(await work.tool('environment', {}, grants)).toEqual({ variables: { LLMSPELL_TEST_A: 'a' } });
    expect(await work.tool('environment', { name: 'LLMSPELL_TEST_A' }, grants)).toEqual({ value: 'a', variables: { LLMSPELL_TEST_A: 'a' } });
    expect(await work.tool('environment', { name: 'LLMSPELL_TEST_NONE' }, grants)).toEqual({ variables: {} });
    expect(await work.refusal('environment', { name: 'LLMSPELL_TEST_B' }, grants)).toMatchObject({
      code: 'NOT_ALLOWED',
      message: 'environment: this run may not read the variable LLMSPELL_TEST_B (grants.environment or --allow-env LLMSPELL_TEST_B)',
    });
    expect((await work.refusal('environment', { name: '__proto__' }, grants)).code).toBe('NOT_ALLOWED');
  });
});

describe('system_info', () => {
  it('tells the kind of machine and nothing that identifies it', async () => {
    const { hostname, userInfo, homedir } = await import('node:os');
    const info = await work.tool('system_info', {});
    expect(info).toMatchObject({ platform: process.platform, architecture: process.arch, node: process.versions.node, language: 'lua' });
    const text = JSON.stringify(info);
    for (const secret of [hostname(), userInfo().username, homedir(), process.cwd(), String(process.pid)]) expect(text).not.toContain(`"${secret}"`);
  });
});
