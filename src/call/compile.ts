import type { z } from 'zod';
import { type ErrorCode, ScriptError, translated } from '../errors.ts';
import { withEffort } from './check/effort.ts';
import { Failure } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { compile } from './check/schema.ts';
import { anything, given } from './check/special.ts';
import type { Language } from './context.ts';
import { forgetPromises, obstacle } from './crossing.ts';
import type { Method } from './define.ts';
import { compileFinish } from './result.ts';
import { type Collect, transientCallbacks } from './transient.ts';
import { type Callback, Handle, type Value } from './value.ts';

/** The value as the schema wants it, defaults filled in; `path` names it in errors, the language decides from where positions count. Throws BAD_ARGUMENT, LIMIT_EXCEEDED. */
export type Checker = (value: Value | undefined, path: string, language?: Language) => unknown;

const checkers = new WeakMap<z.core.$ZodType, Checker>();

/** Compiles a schema into closures, once. */
export function compileSchema(schema: z.core.$ZodType): Checker {
  const known = checkers.get(schema);
  if (known) return known;
  const { check } = compile(schema, 'argument');
  const checker: Checker = (value, path, language = 'javascript') => {
    const checked = withEffort(path, () => check(value));
    if (checked instanceof Failure) throw checked.toError(path, language);
    return checked;
  };
  checkers.set(schema, checker);
  return checker;
}

/** As above, for a schema that is made at the first check: most processes never come to it. */
export function compileLater(make: () => z.core.$ZodType): Checker {
  let made: Checker | undefined;
  return (value, path, language) => {
    made ??= compileSchema(make());
    return made(value, path, language);
  };
}

/** A method ready for calls. */
export interface CompiledMethod {
  /** Positional arguments checked, with defaults, as a new object by name. Throws BAD_ARGUMENT. */
  check(args: readonly (Value | undefined)[], language: Language): Record<string, unknown>;
  /** The handler's answer for the script: handles wrapped, undefined fields dropped. Throws INTERNAL when it is checked and does not fit. */
  result(value: unknown): Value;
  /** The functions among checked arguments that the method does not keep; undefined when it never has any. */
  readonly transient: ((args: Record<string, unknown>) => Callback[]) | undefined;
}

/** Makes a method ready; one that is `trusted` answers unchecked, for speed. */
export function compileMethod(name: string, definition: Method, trusted: boolean): CompiledMethod {
  return {
    check: compileArguments(name, definition),
    result: trusted ? compileUnchecked(definition.result) : compileAnswer(name, definition.result),
    transient: compileTransient(definition),
  };
}

function compileArguments(name: string, definition: Method): CompiledMethod['check'] {
  const names = Object.keys(definition.params);
  const checks = Object.values(definition.params).map((schema) => {
    const { check } = compile(schema, 'argument');
    return check === anything.check ? given : check;
  });
  const count = names.length;
  // What takes any value takes the global itself too, which `Logger:info(…)` passes.
  const probe = { [name.split(/[.:]/)[1] ?? '']: () => null };
  const takesAny = checks[0] !== undefined && !isOfHandle(name) && !(checks[0](probe) instanceof Failure);
  return (args, language) => {
    if (args.length > count) refuseExtra(name, names, args, language);
    const hint = takesAny ? calledWrongly(name, names[0], args, language) : '';
    if (hint !== '') throw new ScriptError('BAD_ARGUMENT', `${name}: ${names[0]}: expected a value, got the global itself${hint}`, { method: name });
    const named: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const parameter = names[index] as string;
      const checked = (checks[index] as (value: unknown) => unknown)(args[index]);
      if (checked instanceof Failure)
        throw new ScriptError('BAD_ARGUMENT', `${name}: ${checked.message(parameter, language)}${calledWrongly(name, parameter, args, language)}`, {
          method: name,
        });
      named[parameter] = checked;
    }
    return named;
  };
}

/** Methods of handles, `Agent:execute`, take the handle first, as `self`. */
export function isOfHandle(name: string): boolean {
  return name.includes(':');
}

/** A hint where the call itself looks wrong: a dot and a colon mixed up in Lua, a method taken off its handle in JavaScript. */
function calledWrongly(name: string, parameter: string | undefined, args: readonly (Value | undefined)[], language: Language): string {
  const [owner = '', method = ''] = name.split(/[.:]/);
  const [first] = args;
  if (isOfHandle(name) && parameter === 'self') {
    if (first instanceof Handle && first.type.name === owner) return '';
    return `; call it on the handle: ${owner[0]?.toLowerCase()}${owner.slice(1)}${language === 'lua' ? ':' : '.'}${method}(…)`;
  }
  // `State:save(…)` passes the table State itself.
  return isMap(first) && typeof first[method] === 'function' ? `; call it with a dot: ${name}(…)` : '';
}

function refuseExtra(name: string, names: readonly string[], args: readonly (Value | undefined)[], language: Language): void {
  const given = args.findLastIndex((arg) => arg !== null && arg !== undefined) + 1;
  if (given <= names.length) return;
  const handles = isOfHandle(name) ? 1 : 0;
  const count = names.length - handles;
  const wanted = count === 0 ? 'no arguments' : count === 1 ? 'at most 1 argument' : `at most ${count} arguments`;
  throw new ScriptError('BAD_ARGUMENT', `${name}: expected ${wanted}, got ${given - handles}${calledWrongly(name, names[0], args, language)}`, {
    method: name,
  });
}

function compileUnchecked(schema: z.core.$ZodType): CompiledMethod['result'] {
  const finish = compileFinish(schema);
  return (value) => ((finish ? finish(value) : value) ?? null) as Value;
}

/** What makes an answer of host code ready for a script. It throws an error of the code that names the method when the answer does not fit its schema or cannot cross. */
export function compileAnswer(name: string, schema: z.core.$ZodType, code: ErrorCode = 'INTERNAL'): (value: unknown) => Value {
  const { check } = compile(schema, 'result');
  const finish = compileUnchecked(schema);
  const refuse = (what: string, cause?: unknown) => new ScriptError(code, `${name}: the answer ${what}`, { method: name, cause });
  const refuseFor = (barrier: Failure) => refuse(`cannot go to a script: ${barrier.message('result', 'javascript')}`);
  return (value) => {
    try {
      const checked = check(value);
      if (checked instanceof Failure) throw refuse(`does not fit its definition: ${checked.message('result', 'javascript')}`);
      const finished = finish(value);
      const barrier = obstacle(finished);
      if (barrier) throw refuseFor(barrier);
      return finished;
    } catch (error) {
      forgetPromises(value);
      throw translated(error, (text, cause) => {
        const barrier = obstacle(value);
        return barrier ? refuseFor(barrier) : refuse(`cannot be read: ${text}`, cause);
      });
    }
  };
}

function compileTransient(definition: Method): CompiledMethod['transient'] {
  const collects: [string, Collect][] = [];
  for (const [parameter, schema] of Object.entries(definition.params)) {
    const collect = transientCallbacks(schema);
    if (collect) collects.push([parameter, collect]);
  }
  if (collects.length === 0) return undefined;
  return (args) => {
    const found: Callback[] = [];
    for (const [parameter, collect] of collects) collect(args[parameter], found);
    return found;
  };
}
