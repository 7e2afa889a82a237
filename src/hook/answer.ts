import { Float, Handle, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

/** How often and after how many ms the operation is tried again; attempts include the first. */
export interface RetryWish {
  readonly maxAttempts: number;
  readonly delayMs: number;
}

/** What a hook asks for; an absent field changes nothing. */
export interface HookAnswer {
  readonly veto?: string;
  readonly input?: Value;
  readonly output?: Value;
  readonly retry?: RetryWish;
  readonly skip?: true;
}

/** Thrown by a hook of the runtime to fail the operation with an error of its own, which is no failure of the hook. */
export class Refusal extends Error {
  readonly error: ScriptError;

  constructor(error: ScriptError) {
    super(error.message);
    this.error = error;
  }
}

const KEYS = ['continue_execution', 'reason', 'input', 'output', 'retry', 'skip'];
const MAX_ATTEMPTS = 100;
const MAX_DELAY_MS = 600_000;
const NOTHING: HookAnswer = {};

/** Reads what a hook returned. Anything but a map means nothing, as arrow functions return by accident; false and unknown keys throw BAD_ARGUMENT. */
export function readAnswer(value: Value | undefined | void): HookAnswer {
  if (value === false) throw bad('expected nothing or a map, got false; to refuse return a map with continue_execution as false and a reason');
  if (!isMap(value)) return NOTHING;
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw bad(`unknown key "${unknown}"; known are ${KEYS.join(', ')}`);
  const { continue_execution: goOn = null, reason = null, skip = null } = value;
  if (goOn !== null && typeof goOn !== 'boolean') throw bad(`continue_execution: expected a boolean, got ${typeof goOn}`);
  if (reason !== null && typeof reason !== 'string') throw bad(`reason: expected a string, got ${typeof reason}`);
  if (skip !== null && typeof skip !== 'boolean') throw bad(`skip: expected a boolean, got ${typeof skip}`);
  return {
    ...(goOn === false && { veto: reason ?? 'no reason given' }),
    ...('input' in value && { input: value.input ?? null }),
    ...('output' in value && { output: value.output ?? null }),
    ...(value.retry !== undefined && value.retry !== null && { retry: readRetry(value.retry) }),
    ...(skip && { skip }),
  };
}

function readRetry(value: Value): RetryWish {
  if (!isMap(value)) throw bad('retry: expected a map {max_attempts, delay_ms}');
  return { maxAttempts: integer(value, 'max_attempts', 2, 1, MAX_ATTEMPTS), delayMs: integer(value, 'delay_ms', 0, 0, MAX_DELAY_MS) };
}

function integer(map: ValueMap, key: string, fallback: number, least: number, most: number): number {
  const raw = map[key] ?? fallback;
  const value = raw instanceof Float ? raw.value : raw;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw bad(`retry.${key}: expected an integer from ${least} to ${most}, got ${typeof value === 'number' ? value : typeof value}`);
  return value;
}

function isMap(value: Value | undefined | void): value is ValueMap {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array || value instanceof Float || value instanceof Handle)
  );
}

function bad(what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `answer: ${what}`);
}
