import { encode } from '../call/codec.ts';
import type { Grants, Language, Limits } from '../call/context.ts';
import type { MethodTable } from '../call/dispatch.ts';
import { checkValue, text } from '../call/rules.ts';
import { CallContext, type HostContainer, RunContainer } from '../call/run.ts';
import { ScriptError, translated } from '../errors.ts';
import { events } from '../event/bus.ts';
import { tellRefusal } from '../hook/refusal.ts';
import type { ScriptEngine, ScriptInstance } from '../script/engine.ts';
import { createJavaScriptEngine } from '../script/javascript/engine.ts';
import { createLuaEngine } from '../script/lua/engine.ts';
import { type ExecuteOptions, type GivenGrants, over, type RunHandle } from './options.ts';

export type RunMethod = 'execute' | 'openSession';

const NO_GRANTS: Grants = {
  capabilities: new Set(),
  read: [],
  write: [],
  net: [],
  tenants: [],
  models: ['local/*', 'mock/*'],
  programs: [],
  environment: [],
  mcp: [],
};

const ENGINES: Readonly<Record<Language, ScriptEngine>> = { lua: createLuaEngine(), javascript: createJavaScriptEngine() };

/** Makes a run with a context of its language and tells the host of it; when the host throws, nothing of it is left. */
export function openRun(
  host: HostContainer,
  table: MethodTable,
  method: RunMethod,
  language: Language,
  options: ExecuteOptions,
  onLine?: (line: string) => void,
): { readonly run: RunContainer; readonly instance: ScriptInstance } {
  const { clock, on_output, on_start } = options;
  let instance: ScriptInstance | undefined;
  const end = (error: ScriptError) => {
    if (instance?.dead) process.emitWarning(error.message);
    run.abort(error);
    instance?.kill(error);
  };
  const run = new RunContainer({
    host,
    language,
    tenant: options.tenant ?? 'default',
    session: options.session,
    grants: grantsOf(options.grants),
    limits: over<Limits>(host.config.limits, options.limits),
    args: options.args ?? [],
    input: options.input ?? null,
    seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
    ...(clock && { clock: checkedClock(method, clock) }),
    onRefused: tellRefusal,
    onOutput(line) {
      onLine?.(line);
      if (on_output) ofHost(`${method}: on_output`, () => on_output(line), end);
    },
  });
  try {
    instance = ENGINES[language].open(table, run);
    if (on_start) ofHost(`${method}: on_start`, () => on_start(handleOf(run)), end);
    return { run, instance };
  } catch (error) {
    run.abort(new ScriptError('CANCELLED', 'the run has failed'));
    instance?.close();
    void run[Symbol.asyncDispose]();
    throw error;
  }
}

function grantsOf({ capabilities, ...others }: GivenGrants = {}): Grants {
  return { ...over(NO_GRANTS, others), capabilities: new Set(capabilities) };
}

/** Calls a function that an option gives; what it throws is an error that names the option, and `rejected` is told of what a promise of it rejects with. */
function ofHost<T>(option: string, call: () => T, rejected: (error: ScriptError) => void): T {
  const named = (error: unknown) => translated(error, (text, cause) => new ScriptError('INTERNAL', `${option} threw: ${text}`, { cause }));
  try {
    const answer = call();
    if (answer instanceof Promise) answer.catch((error) => rejected(named(error)));
    return answer;
  } catch (error) {
    throw named(error);
  }
}

/** A clock of the host, whose errors name it and whose answers are times. */
function checkedClock(method: RunMethod, clock: () => number): () => number {
  return () => {
    // A promise is refused as its answer, whatever becomes of it.
    const now = ofHost(`${method}: clock`, clock, () => undefined);
    checkValue(`${method}: clock: its answer`, now, { wanted: 'a number of milliseconds', fits: Number.isFinite });
    return now;
  };
}

function handleOf(run: RunContainer): RunHandle {
  return {
    id: run.id,
    async emit(event_type, payload = null, correlation_id) {
      checkValue('emit: event type', event_type, text);
      if (correlation_id !== undefined) checkValue('emit: correlation id', correlation_id, text);
      encode(payload, 'emit: payload');
      if (run.draining || run.signal.aborted) return false;
      const draft = { event_type, payload, source: 'host', ...(correlation_id !== undefined && { correlation_id }) } as const;
      await run.get(events).emit(new CallContext(run, { method: 'emit' }), draft);
      return true;
    },
  };
}

/** A run that no script is part of, for what concerns the runtime itself. */
export function systemRun(host: HostContainer): RunContainer {
  return new RunContainer({
    host,
    language: 'lua',
    tenant: 'default',
    grants: NO_GRANTS,
    limits: host.config.limits,
    args: [],
    input: null,
    seed: 0,
    onOutput: () => undefined,
  });
}
