import type { z } from 'zod';
import type { Capability } from './capability.ts';
import type { Context } from './context.ts';
import type { HandleType } from './value.ts';

/** What a call does to the world: `pure` re-runs freely, `read`, `write` in our own store, `external` to the world, `wait` for time or others. */
export type Effect = 'pure' | 'read' | 'write' | 'external' | 'wait';

/** Positional parameters in order; an optional one has an optional schema. */
export type Params = Readonly<Record<string, z.ZodType>>;
export type Args<P extends Params> = { readonly [K in keyof P]: z.output<P[K]> };

export interface Example {
  readonly lua: string;
  readonly javascript: string;
}

/** One method of the script API: bindings, checks, editor types, reference and manifest all come from this object. */
export interface Method<P extends Params = Params, R extends z.ZodType = z.ZodType> {
  readonly doc: string;
  readonly params: P;
  readonly result: R;
  readonly effect: Effect;
  readonly needs?: Capability;
  readonly examples?: readonly Example[];
  /** What it waits for is functions of the script and nothing else, or nothing else while its `Lines` are idle: when these wait for ever, so does it. */
  readonly only_callbacks?: true | 'when_idle';
  /** What it is given stays on the host as long as its result, or as long as the run where that is no object. */
  readonly keeps?: true;
  /** A plain value answers at once; a promise suspends the calling fiber only. */
  handler(args: Args<P>, context: Context): z.input<R> | Promise<z.input<R>>;
}

/** What scripts see under one name: capitalised, unless it is a function by itself. */
export interface GlobalDefinition {
  readonly name: string;
  readonly doc: string;
  readonly methods: Readonly<Record<string, Method>>;
  /** Handles that its methods return. */
  readonly handles?: readonly HandleDefinition[];
  /** Only in this language: JavaScript keeps its own JSON. */
  readonly only?: 'lua' | 'javascript';
  /** A function by itself, called `name(…)`, instead of a table of methods: `parallel`, `sleep`. */
  readonly callable?: Method;
}

/** A kind of handle: its methods take the handle first, as `handle:method()` in Lua and `handle.method()` in JavaScript. */
export interface HandleDefinition<T extends object = object> {
  readonly type: HandleType<T>;
  readonly doc: string;
  readonly methods: Readonly<Record<string, HandleMethod<T>>>;
}

export interface HandleMethod<T extends object = object> extends Omit<Method, 'handler'> {
  handler(args: { readonly self: T } & Record<string, unknown>, context: Context): unknown;
}

/** Declares a method with its types inferred. */
export function method<const P extends Params, R extends z.ZodType>(definition: Method<P, R>): Method {
  return definition;
}

/** Declares a handle's method; `self` is the object behind the handle. */
export function handleMethod<T extends object>() {
  return <const P extends Params, R extends z.ZodType>(
    definition: Omit<Method<P, R>, 'handler'> & { handler(args: Args<P> & { readonly self: T }, context: Context): z.input<R> | Promise<z.input<R>> },
  ): HandleMethod<T> => definition;
}

/** Declares a global that comes with the runtime; it is not checked, for that would take milliseconds of each start. */
export function builtinGlobal(definition: GlobalDefinition): GlobalDefinition {
  return definition;
}

/** Declares a kind of handle. */
export function defineHandle<T extends object>(definition: HandleDefinition<T>): HandleDefinition {
  return definition as HandleDefinition;
}
