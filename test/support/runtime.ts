import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Grants } from '../../src/call/context.ts';
import type { ConfigInput } from '../../src/config/config.ts';
import type { RuntimeOptions } from '../../src/runtime/options.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { ALL_GRANTS } from './run.ts';

/** A runtime over a new temporary data folder, which goes with it, and grants for a workspace in it. */
export async function testRuntime(
  config: ConfigInput = {},
  options: Omit<RuntimeOptions, 'config'> = {},
): Promise<{ runtime: ScriptRuntime; grants: Grants; folder: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'llmspell-'));
  const workspace = join(folder, 'workspace');
  mkdirSync(workspace);
  const runtime = await ScriptRuntime.create({ config, dataDir: join(folder, 'data'), checkResults: true, ...options });
  return {
    runtime,
    folder,
    grants: { ...ALL_GRANTS, read: [workspace], write: [workspace] },
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
