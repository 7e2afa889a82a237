import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';

export const BIN = join(import.meta.dirname, '../../bin/llmspell');

/** How a command ended and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of commands in a folder: nothing of this process but where programs are. */
export function environment(folder: string, more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: folder, ...more };
}

/** The command line as a process of its own. */
export function asProcess(folder: string, args: readonly string[], more?: Record<string, string>): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { cwd: folder, encoding: 'utf8', env: environment(folder, more) });
  return { status, stdout, stderr };
}

/**
 * The same within this process, some twenty times as fast: what the program runs, with the folder, the environment and the output of a process.
 * One at a time; `test/cli/process.test.ts` compares the two.
 */
export async function llmspell(folder: string, args: readonly string[], more?: Record<string, string>): Promise<Ended> {
  const { stdout, stderr, env } = process;
  const before = { cwd: process.cwd(), stdout: stdout.write, stderr: stderr.write };
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  process.chdir(folder);
  process.env = environment(folder, more);
  stdout.write = keep(written.stdout);
  stderr.write = keep(written.stderr);
  try {
    const status = await main(args);
    return { status, stdout: Buffer.concat(written.stdout).toString(), stderr: Buffer.concat(written.stderr).toString() };
  } finally {
    stdout.write = before.stdout;
    stderr.write = before.stderr;
    process.env = env;
    process.chdir(before.cwd);
  }
}

/** A stream's `write` that keeps what is written. */
function keep(parts: Buffer[]): typeof process.stdout.write {
  return (data: string | Uint8Array, ...rest: unknown[]) => {
    parts.push(Buffer.from(data as string));
    const done = rest.at(-1);
    if (typeof done === 'function') queueMicrotask(() => done());
    return true;
  };
}
