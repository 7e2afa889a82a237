import type { Context } from '../call/context.ts';
import { cancelled } from '../call/run.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

/** From first to last; hooks of the same priority run in the order of registration. */
export const PRIORITIES = ['highest', 'high', 'normal', 'low', 'lowest'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Where a hook comes from, in the order in which they run. */
export type HookSource = 'host' | 'script' | 'builtin';

/** How a hook is set up; `timeout_ms` is 1,000 unless told otherwise. */
export interface HookOptions {
  readonly priority?: Priority | undefined;
  /** `fail` lets an error of the hook fail the operation; otherwise it is reported only. */
  readonly on_error?: 'continue' | 'fail' | undefined;
  readonly timeout_ms?: number | undefined;
}

/** What runs at a point: gets the description of what happens, answers as a script's hook does. */
export type HookFunction = (ctx: ValueMap, context: Context) => Value | undefined | void | Promise<Value | undefined | void>;

/** One registered hook, with its circuit. */
export interface Hook {
  readonly id: string;
  readonly point: string;
  readonly source: HookSource;
  readonly language: string;
  readonly priority: Priority;
  readonly order: number;
  readonly onError: 'continue' | 'fail';
  readonly timeoutMs: number;
  readonly call: HookFunction;
  paused: boolean;
  calls: number;
  failed: number;
  /** Failures since the last success; the fifth opens the circuit. */
  inARow: number;
  /** The clock's ms until which the hook is left out. */
  openUntil: number;
}

export const HOOK_TIMEOUT_MS = 1_000;
const FAILURES_TO_OPEN = 5;
/** How long an open circuit leaves its hook out. */
export const OPEN_MS = 30_000;

/** Makes a hook that has not run yet. */
export function createHook(fields: Pick<Hook, 'id' | 'point' | 'source' | 'language' | 'order' | 'call'>, options: HookOptions = {}): Hook {
  return {
    ...fields,
    priority: options.priority ?? 'normal',
    onError: options.on_error ?? 'continue',
    timeoutMs: options.timeout_ms ?? HOOK_TIMEOUT_MS,
    paused: false,
    calls: 0,
    failed: 0,
    inARow: 0,
    openUntil: 0,
  };
}

const SOURCES: readonly HookSource[] = ['host', 'script', 'builtin'];

/** The order in which hooks of one point run: host, script, built in; then priority; then registration. */
export function inOrder(a: Hook, b: Hook): number {
  return SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) || PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || a.order - b.order;
}

/** Counts a success, which closes the circuit. */
export function succeeded(hook: Hook): void {
  hook.inARow = 0;
}

/** Counts a failure; true when it opened the circuit. */
export function failed(hook: Hook, now: number): boolean {
  hook.failed++;
  hook.inARow++;
  if (hook.inARow < FAILURES_TO_OPEN) return false;
  hook.openUntil = now + OPEN_MS;
  return true;
}

/** True while the circuit is open; afterwards one call is tried. */
export function isOpen(hook: Hook, now: number): boolean {
  return hook.inARow >= FAILURES_TO_OPEN && now < hook.openUntil;
}

/** The time that a hook's circuit is measured in: the run's for its own hooks, the host's for those that outlive runs. */
export function circuitClock(hook: Hook, context: Context): number {
  return hook.source === 'script' ? context.run.now() : Date.now();
}

/** The promise cut at the hook's time limit (TIMEOUT) or when the call is cancelled. */
export function withinTime<T>(work: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ScriptError('TIMEOUT', `took longer than ${timeoutMs} ms`)), timeoutMs);
    const onAbort = () => reject(cancelled(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  });
}
