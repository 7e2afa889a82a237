import { ScriptError, translated } from '../errors.ts';
import { requireCapability } from './capability.ts';
import { type CompiledMethod, compileMethod, isOfHandle } from './compile.ts';
import type { Context, Language } from './context.ts';
import type { GlobalDefinition, HandleDefinition, Method } from './define.ts';
import { raise } from './refused.ts';
import type { ScriptInvoke } from './run.ts';
import { handle as handleSchema } from './schema.ts';
import { type Callback, type HandleType, SCRIPT_CALLBACK, type Value } from './value.ts';

/** A method with its number; engines carry the number, nothing else. A call looks things up here, where all methods are alike to V8, and not in definitions, which differ in their fields. */
export class Entry {
  readonly index: number;
  /** As scripts write it: `State.save`, `agent:execute` is `Agent#execute`. */
  readonly name: string;
  readonly definition: Method;
  readonly parameterNames: readonly string[];
  /** Its first argument is the handle that it is called on. */
  readonly ofHandle: boolean;
  /** May run inside State.update and State.transaction. */
  readonly transactional: boolean;
  readonly needs: Method['needs'];
  readonly pure: boolean;
  readonly keeps: boolean;
  readonly handler: Method['handler'];
  readonly #trusted: boolean;
  #compiled: CompiledMethod | undefined;
  #places: readonly string[] | undefined;

  /** What is `trusted` answers unchecked, and is compiled at its first call: most processes never come to it. */
  constructor(index: number, global: string, name: string, definition: Method, trusted: boolean) {
    this.index = index;
    this.name = name;
    this.definition = definition;
    this.parameterNames = Object.keys(definition.params);
    this.ofHandle = isOfHandle(name);
    this.needs = definition.needs;
    this.pure = definition.effect === 'pure';
    this.transactional = TRANSACTIONAL.has(global) || this.pure;
    this.keeps = definition.keeps === true;
    this.handler = definition.handler.bind(definition);
    this.#trusted = trusted;
    if (!trusted) this.#compiled = compileMethod(name, definition, false);
  }

  get compiled(): CompiledMethod {
    this.#compiled ??= compileMethod(this.name, this.definition, this.#trusted);
    return this.#compiled;
  }

  /** Each argument as errors name it: `State.save: key`. */
  get places(): readonly string[] {
    this.#places ??= this.parameterNames.map((parameter) => `${this.name}: ${parameter}`);
    return this.#places;
  }
}

/** What one language sees of a global: its methods by name, or the function itself. */
export interface BoundGlobal {
  readonly name: string;
  readonly callable: Entry | undefined;
  readonly methods: readonly (readonly [string, Entry])[];
}

export interface BoundHandle {
  readonly type: HandleType;
  readonly methods: readonly (readonly [string, Entry])[];
}

/** All methods by number, made once per runtime. */
export interface MethodTable {
  readonly entries: readonly Entry[];
  readonly handles: readonly BoundHandle[];
  /** Of the built-in globals and no others: every process has this one. */
  readonly standard: boolean;
  globals(language: Language): readonly BoundGlobal[];
}

const TRANSACTIONAL = new Set(['State', 'JSON', 'Logger']);

/** Numbers the methods of all globals and compiles their checks; what the globals in `trusted` answer is not checked, and theirs are compiled at the first call. */
export function createMethodTable(definitions: readonly GlobalDefinition[], options: { trusted?: ReadonlySet<string>; standard?: boolean } = {}): MethodTable {
  const entries: Entry[] = [];
  const add = (global: string, name: string, definition: Method): Entry => {
    const entry = new Entry(entries.length, global, name, definition, options.trusted?.has(global) === true);
    entries.push(entry);
    return entry;
  };
  const bind = (global: string, methods: GlobalDefinition['methods'], prefix: string) =>
    Object.entries(methods).map(([name, definition]) => [name, add(global, prefix + name, definition)] as const);
  const bound = definitions.map((definition) => ({
    only: definition.only,
    name: definition.name,
    callable: definition.callable && add(definition.name, definition.name, definition.callable),
    methods: bind(definition.name, definition.methods, `${definition.name}.`),
  }));
  const handles = definitions.flatMap((definition) =>
    (definition.handles ?? []).map((handle: HandleDefinition) => ({
      type: handle.type,
      methods: bind(definition.name, withSelf(handle), `${handle.type.name}:`),
    })),
  );
  return { entries, handles, standard: options.standard ?? false, globals: (language) => bound.filter(({ only }) => only === undefined || only === language) };
}

/** Runs a method with raw arguments: permission, check, handler, result. Answers at once unless the handler's answer is a promise. */
export function dispatch(entry: Entry, args: Value[], context: Context): Value | Promise<Value> {
  const { compiled, needs } = entry;
  try {
    if (needs !== undefined) requireCapability(context, needs);
    if (context.transaction !== undefined && !entry.transactional) throw outsideTransaction(entry.name);
    const checked = compiled.check(args, context.run.language);
    if (entry.keeps) return dispatchKept(entry, args, checked, context);
    if (compiled.transient) return dispatchWithCallbacks(entry, checked, compiled.transient(checked), context);
    const result = entry.handler(checked, context);
    if (result instanceof Promise) return result.then(compiled.result, (error: unknown) => fail(error, entry.name, context));
    return compiled.result(result);
  } catch (error) {
    return fail(error, entry.name, context);
  }
}

/** As above, and lets go of functions that were given for this call only. */
function dispatchWithCallbacks(
  { compiled, name, handler }: Entry,
  checked: Record<string, unknown>,
  callbacks: readonly Callback[],
  context: Context,
): Value | Promise<Value> {
  const result = handler(checked, context);
  const release = () => {
    for (const fn of callbacks) (fn as { [SCRIPT_CALLBACK]?: ScriptInvoke })[SCRIPT_CALLBACK]?.release?.();
  };
  if (result instanceof Promise) return result.then(compiled.result, (error: unknown) => fail(error, name, context)).finally(release);
  release();
  return compiled.result(result);
}

/** As `dispatch`, and counts what stays. */
function dispatchKept({ compiled, name, handler }: Entry, args: readonly Value[], checked: Record<string, unknown>, context: Context): Value | Promise<Value> {
  const { kept } = context.run;
  const bytes = kept.take(name, args);
  const keep = (result: unknown) => {
    if (typeof result === 'object' && result !== null) kept.until(result, bytes);
    return compiled.result(result);
  };
  const refuse = (error: unknown) => {
    kept.release(bytes);
    return fail(error, name, context);
  };
  try {
    const result = handler(checked, context);
    return result instanceof Promise ? result.then(keep, refuse) : keep(result);
  } catch (error) {
    return refuse(error);
  }
}

function fail(error: unknown, method: string, context: Context): Promise<never> {
  const failure = translated(error, (text, cause) => new ScriptError('INTERNAL', `${method}: internal error: ${text}`, { cause }));
  failure.method ??= method;
  return raise(context, failure);
}

function outsideTransaction(method: string): ScriptError {
  return new ScriptError(
    'NOT_IN_TRANSACTION',
    `${method}: may not be called inside State.update or State.transaction; only State, JSON, Logger and pure calls may`,
  );
}

/** A handle's methods take the handle as their first argument. */
function withSelf({ type, methods }: HandleDefinition): GlobalDefinition['methods'] {
  const self = handleSchema(type);
  return Object.fromEntries(Object.entries(methods).map(([name, definition]) => [name, { ...definition, params: { self, ...definition.params } } as Method]));
}
