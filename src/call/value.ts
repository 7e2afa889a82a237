/** What crosses between scripts and the host: data, script functions and handles, nothing else. */
export type Value = null | boolean | number | bigint | string | Uint8Array | Float | Callback | Handle | Value[] | { [key: string]: Value };
export type ValueMap = { [key: string]: Value };

/** What a value that crosses may be at most; both engines and both directions. */
export const VALUE_LIMITS = { depth: 64, nodes: 100_000, bytes: 16 * 2 ** 20 } as const;

/** What is said of a value that does not cross, behind the place; both engines and both directions. */
export const MISFIT = {
  depth: `nested deeper than ${VALUE_LIMITS.depth}`,
  nodes: `more than ${VALUE_LIMITS.nodes} parts in one value`,
  bytes: `more than ${VALUE_LIMITS.bytes / 2 ** 20} MB in one value`,
  text: 'a text with half a surrogate pair',
  name: 'a name with half a surrogate pair',
} as const;

/** A double whose value is integral but which came from a Lua float (`2.0`): kept apart so that it goes back as a float. Schemas for numbers unwrap it. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
  valueOf(): number {
    return this.value;
  }
  toJSON(): number {
    return this.value;
  }
}

/** A function of the script, or a plain function of the host: services cannot tell them apart. Call it through `Context.invoke`, which gives it a fiber, a deadline and a parent. */
export type Callback = (...args: Value[]) => Value | Promise<Value>;

/** Set by an engine on the callbacks it makes; services never touch it. */
export const SCRIPT_CALLBACK = Symbol('llmspell.callback');

/** What a definition's `type` says about a handle; methods are in the definition. */
export interface HandleType<T extends object = object> {
  readonly name: string;
  /** Read-only fields that scripts see on the handle. */
  readonly fields?: (target: T) => ValueMap;
}

/** A live object of the host that a script holds without seeing inside. */
export class Handle<T extends object = object> {
  readonly type: HandleType<T>;
  readonly target: T;
  constructor(type: HandleType<T>, target: T) {
    this.type = type;
    this.target = target;
  }
}

/**
 * A map for a callback of the script that costs more to pass than to ask for: it arrives with some of its fields, and the engine gets the others
 * when the script first touches one that is not there, or all of them. Scripts cannot tell it from a map; services see it as one.
 */
export class LazyMap {
  readonly own: ValueMap;
  /** Everything, `own` included, as it was when the map was made. */
  readonly all: () => ValueMap;

  constructor(own: ValueMap, all: () => ValueMap) {
    this.own = own;
    this.all = all;
  }

  /** As an argument of `Context.invoke`. */
  asValue(): Value {
    return this as unknown as ValueMap;
  }
}

/** The value as plain JSON-like data for host code and JSON text: Float unwrapped, functions and handles as short descriptions. */
export function toPlain(value: Value): unknown {
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? '[function]' : value;
  if (value instanceof Float) return value.value;
  if (value instanceof Uint8Array) return value;
  if (value instanceof Handle) return `[${value.type.name}]`;
  if (Array.isArray(value)) return value.map(toPlain);
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) define(out, key, toPlain(item));
  return out;
}

/** Sets an own property whatever its name; `__proto__` included. */
export function define(target: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else (target as Record<string, unknown>)[key] = value;
}
