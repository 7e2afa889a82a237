import { type Checker, compileSchema } from '../../call/compile.ts';
import { checkerOf } from '../../call/json-schema/check.ts';
import { anyMap } from '../../call/schema.ts';
import { Float, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

/** Checks arguments against a server's schema before they are sent; a schema that cannot be read here is left to the server. */
export function argumentChecker(schema: ValueMap): Checker {
  try {
    return checkerOf(schema);
  } catch {
    return compileSchema(anyMap);
  }
}

/** Arguments as JSON carries them: bytes in Base64. Throws BAD_ARGUMENT for what it cannot carry. */
export function toJsonArguments(tool: string, value: Value): Record<string, unknown> {
  return toJson(tool, value, '') as Record<string, unknown>;
}

function toJson(tool: string, value: Value, path: string): unknown {
  const refuse = (what: string) => new ScriptError('BAD_ARGUMENT', `${tool}: ${path || 'arguments'}: MCP cannot carry ${what}`);
  if (typeof value === 'bigint') throw refuse('an integer beyond ±2^53; give it as a text');
  if (typeof value === 'function') throw refuse('a function');
  if (typeof value === 'number' && !Number.isFinite(value)) throw refuse('a number that is not finite');
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Float) return toJson(tool, value.value, path);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((item, at) => toJson(tool, item, `${path}[${at}]`));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refuse('a handle');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(tool, item as Value, path === '' ? key : `${path}.${key}`)]));
}
