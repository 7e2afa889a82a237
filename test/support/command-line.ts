import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Readable } from 'node:stream';
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
 * The same within this process, some twenty times as fast: what the program runs, with the folder, the environment and the streams of a process.
 * One at a time; `test/cli/process.test.ts` compares the two.
 */
export async function llmspell(folder: string, args: readonly string[], { env = {}, input = '' } = {}): Promise<Ended> {
  const { stdout, stderr } = process;
  const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  using undo = new DisposableStack();
  undo.defer(
    (
      (cwd) => () =>
        process.chdir(cwd)
    )(process.cwd()),
  );
  undo.use(swapped(process, 'env', environment(folder, env)));
  undo.use(swapped(process, 'stdin', Readable.from([Buffer.from(input)])));
  undo.use(swapped(stdout, 'write', keep(written.stdout)));
  undo.use(swapped(stderr, 'write', keep(written.stderr)));
  process.chdir(folder);
  const status = await main(args);
  return { status, stdout: Buffer.concat(written.stdout).toString(), stderr: Buffer.concat(written.stderr).toString() };
}

/** Puts something in the place of a property until it is disposed of. */
function swapped<T extends object>(of: T, name: keyof T, value: unknown): Disposable {
  const before = Object.getOwnPropertyDescriptor(of, name);
  Object.defineProperty(of, name, { configurable: true, writable: true, enumerable: true, value });
  return {
    [Symbol.dispose]() {
      if (before) Object.defineProperty(of, name, before);
      else delete of[name];
    },
  };
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
