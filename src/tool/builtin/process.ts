import { isUtf8 } from 'node:buffer';
import { closeSync, existsSync } from 'node:fs';
import type { Context } from '../../call/context.ts';
import { elapsedMs } from '../../call/elapsed.ts';
import { external } from '../../call/external.ts';
import { bytes } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { existing, openForReading } from '../files/access.ts';
import { programFile } from '../process/program.ts';
import { runProcess } from '../process/run.ts';
import { defineTool } from '../tool.ts';

const MOST_OUTPUT = 8 * 2 ** 20;
const output = z.union([z.string(), bytes]);

/** Programs that the run may start. */
export const processTool = defineTool(
  {
    name: 'process',
    description: 'Runs an allowed program',
    category: 'system',
    tags: ['command', 'program', 'execute'],
    needs: 'process',
    timeout_ms: 310_000,
    input: z.strictObject({
      program: z.string().min(1).max(500).describe('as the permissions name it'),
      args: z.array(z.string().max(100_000)).max(1_000).default([]).describe('one by one; no shell reads them'),
      cwd: z.string().optional().describe('a folder that the run may read; its first writable folder if not given'),
      input: bytes.optional().describe('what the program reads as its standard input'),
      timeout_ms: z.int().min(1).max(300_000).default(20_000),
      max_output_bytes: z.int().min(1).max(MOST_OUTPUT).default(1_000_000).describe('of output and of errors, each; beyond it the program is ended'),
    }),
    output: z.object({
      ok: z.boolean().describe('it ended by itself with the status 0'),
      exit_code: z.int().nullable(),
      signal: z.string().optional().describe('what ended it, where it did not end by itself'),
      stdout: output.describe('text, or bytes where it is no UTF-8'),
      stderr: output,
      truncated: z.boolean(),
      duration_ms: z.number(),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "process", {program = "git", args = {"--version"}})\nprint(err.code)`,
        javascript: `try { Tool.execute("process", {program: "git", args: ["--version"]}) } catch (err) { print(err.code) }`,
      },
    ],
    execute({ program, args, cwd, input, timeout_ms, max_output_bytes }, context) {
      const file = programFile(context, program);
      if (args.some((arg) => arg.includes('\0'))) throw new ScriptError('BAD_ARGUMENT', 'process: args: expected texts without NUL');
      return external(context, async () => {
        const started = performance.now();
        using folder = workingFolder(context, cwd);
        const common = { file, program, args, cwd: folder.path, input, timeoutMs: timeout_ms, maxBytes: max_output_bytes, signal: context.signal };
        const end = await runProcess(common);
        if (context.signal.aborted) throw context.signal.reason;
        const cut = end.truncated || end.timedOut;
        if (end.timedOut)
          throw new ScriptError('TIMEOUT', `process: ${program} took longer than ${timeout_ms} ms`, {
            details: { outcome: 'unknown', retryable: true, stdout: textOf(end.stdout, cut), stderr: textOf(end.stderr, cut) },
          });
        return {
          ok: end.exitCode === 0 && !end.truncated,
          exit_code: end.exitCode,
          ...(end.signal !== null && { signal: end.signal }),
          stdout: textOf(end.stdout, cut),
          stderr: textOf(end.stderr, cut),
          truncated: end.truncated,
          duration_ms: elapsedMs(started),
        };
      });
    },
  },
  'builtin',
);

/** The folder is held open until the program has started in it, so that no swapped link can lead it elsewhere. */
function workingFolder(context: Context, given: string | undefined): { path: string } & Disposable {
  const path = given ?? context.run.grants.write[0] ?? '.';
  if (given === undefined && context.run.grants.write[0] !== undefined) return { path, [Symbol.dispose]: () => undefined };
  const { fd } = openForReading(context, path, 'folder');
  const real = existsSync('/proc/self/fd') ? `/proc/self/fd/${fd}` : existing(context, path);
  return { path: real, [Symbol.dispose]: () => closeSync(fd) };
}

/** Text where it is UTF-8; where the output was cut, a letter that was cut in two is left out. */
function textOf(given: Buffer, cut: boolean): string | Uint8Array {
  for (let lost = 0; lost <= (cut ? 3 : 0) && lost <= given.length; lost++) {
    const whole = given.subarray(0, given.length - lost);
    if (isUtf8(whole)) return whole.toString('utf8');
  }
  return new Uint8Array(given);
}
