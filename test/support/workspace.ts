import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Grants } from '../../src/call/context.ts';
import type { ScriptError } from '../../src/errors.ts';
import { tools } from '../../src/tool/registry.ts';
import { testHost, testRun } from './run.ts';

export interface Workspace extends Disposable {
  /** What the run may read and write, and a folder beside it that it may not. */
  readonly inside: string;
  readonly outside: string;
  tool(name: string, input: Record<string, unknown>, grants?: Partial<Grants>): Promise<Record<string, unknown>>;
  /** The error of a call that must fail. */
  refusal(name: string, input: Record<string, unknown>, grants?: Partial<Grants>): Promise<ScriptError>;
}

/** A folder that tools may work in, gone when disposed. */
export function workspace(): Workspace {
  const root = mkdtempSync(join(tmpdir(), 'llmspell-work-'));
  const [inside, outside] = [join(root, 'inside'), join(root, 'outside')];
  for (const folder of [inside, outside]) mkdirSync(folder);
  const host = testHost();
  async function tool(name: string, input: Record<string, unknown>, grants: Partial<Grants> = {}) {
    const { run, context } = testRun({ host, grants: { read: [inside], write: [inside], ...grants } });
    return (await run.get(tools).execute(context, name, input as never)) as Record<string, unknown>;
  }
  return {
    inside,
    outside,
    tool,
    refusal: (name, input, grants) =>
      tool(name, input, grants).then(
        (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
        (error) => error,
      ),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}
