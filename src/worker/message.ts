import { asScriptError, type ErrorCode, ScriptError } from '../errors.ts';
import type { Pieces } from './pieces.ts';

/** What a thread is sent: the module to load and what its `run` gets. */
export interface Job {
  /** URL of the task's module. */
  readonly task: string;
  readonly args: unknown;
}

/** What a worker says: that the task begins (its module is loaded), and then how it ended, whole or in pieces, and what it has computed; with `ended` the worker itself ends too. */
export type Report =
  | { readonly kind: 'begun' }
  | { readonly kind: 'done'; readonly value: unknown; readonly cpuMs: number }
  | { readonly kind: 'pieces'; readonly value: Pieces; readonly cpuMs: number }
  | { readonly kind: 'failed'; readonly error: PackedError; readonly cpuMs: number }
  | { readonly kind: 'ended'; readonly error: PackedError };

/** An error as data, for threads do not share classes. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly method?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** The error as data; what is no ScriptError becomes INTERNAL. */
export function packError(error: unknown): PackedError {
  const { code, message, method, details } = asScriptError(error);
  return { code, message, method, details };
}

/** The ScriptError that was packed, with the same code, message, method and details. */
export function unpackError({ code, message, method, details }: PackedError): ScriptError {
  return new ScriptError(code, message, { method, details });
}
