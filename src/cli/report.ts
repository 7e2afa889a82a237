import { toJsonText } from '../call/json.ts';
import { Float, Handle, type Value } from '../call/value.ts';
import { placed, type ScriptError } from '../errors.ts';
import type { MetricsSnapshot } from '../hook/builtin/metrics.ts';
import type { LogEntry } from '../log/log.ts';
import type { RunResult } from '../runtime.ts';
import { visible } from './visible.ts';

/** Exit statuses; 0 is success. */
export const EXIT = { failed: 1, usage: 2, limit: 3, interrupted: 130 } as const;

/** The exit status of an error that ended a script. */
export function statusOf(error: ScriptError): number {
  if (error.code === 'LIMIT_EXCEEDED') return EXIT.limit;
  return error.code === 'BAD_CONFIG' && error.where === undefined ? EXIT.usage : EXIT.failed;
}

/** An error as people read it: where and what, then how the script came there; that it called `error` to raise it goes without saying. */
export function errorText(error: ScriptError): string {
  const traceback =
    error.traceback
      ?.replace(/^stack traceback:\n/, '')
      .split('\n')
      .map((line) => `  ${line.trim()}`)
      .filter((line) => line !== "  [C]: in function 'error'") ?? [];
  return [`error: ${placed(error)} (${error.code})`, ...(traceback.length > 1 ? traceback : [])].join('\n');
}

/** What `--json` prints of a run that ended well. */
export function successJson({ value, output, stats }: RunResult, metrics?: MetricsSnapshot): string {
  return jsonText({ ok: true, value, output, stats, metrics });
}

/** What `--json` prints of a run that failed. */
export function failureJson(error: ScriptError, metrics?: MetricsSnapshot): string {
  const { code, message, where, traceback, run } = error;
  return jsonText({
    ok: false,
    value: null,
    output: run?.output ?? [],
    error: { code, message, file: where?.file, line: where?.line, traceback },
    stats: run?.stats,
    metrics,
  });
}

/** Says what went wrong outside a run: a sentence on standard error, or with `--json` an object on standard output. */
export function tellFailure(error: ScriptError, json = false): void {
  if (json) process.stdout.write(`${failureJson(error)}\n`);
  else process.stderr.write(`${visible(`error: ${error.message}`, process.stderr)}\n`);
}

/** The exit status of an error outside a run. */
export function usageOrFailed({ code }: ScriptError): number {
  return code === 'BAD_ARGUMENT' || code === 'BAD_CONFIG' ? EXIT.usage : EXIT.failed;
}

/** One line of the log as people read it. */
export function logLine({ level, message, fields }: LogEntry): string {
  const rest = Object.keys(fields).length > 0 ? ` ${jsonText(fields)}` : '';
  return `${level}: ${message}${rest}`;
}

/** JSON as the scripts' `JSON.stringify` writes it: integers as digits, floats of Lua as 2.0, bytes as `{"$bytes": base64}`; functions and handles as short descriptions. */
export function jsonText(value: unknown): string {
  if (['bigint', 'number', 'function'].includes(typeof value) || value instanceof Float || value instanceof Handle)
    return toJsonText(value as Value, { describe: true });
  if (value instanceof Uint8Array) return JSON.stringify({ $bytes: Buffer.from(value).toString('base64') });
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item) ?? 'null').join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
