import type { z } from 'zod';
import { globalRegistry } from 'zod';
import { schemaOf } from '../../zod.ts';
import type { Special } from '../schema.ts';
import { Handle } from '../value.ts';
import type { Check, Compiled, Direction } from './compiled.ts';
import { Failure, withArticle } from './failure.ts';
import { ANY_KIND, isMap, KIND } from './kind.ts';

const utf8 = new TextEncoder();
const TEXT_OR_BYTES = 'text or bytes';

/** What a schema of ours is, or undefined for one of zod's. */
export function specialOf(schema: z.core.$ZodType): Special | undefined {
  return globalRegistry.get(schemaOf(schema) as z.ZodType)?.llmspell as Special | undefined;
}

/** Anything at all; absent is null. */
export const anything: Compiled = { kinds: ANY_KIND, wanted: 'a value', check: (value) => (value === undefined ? null : value) };

/** Anything as an argument: null is a value, and a call that ends before it has forgotten it. */
export const given: Check = (value) => (value === undefined ? new Failure('a value', value, false, 'expected a value, got nothing') : value);

/** Schemas that zod does not know: anything, bytes, functions, handles. */
export function compileSpecial(mark: Special, direction: Direction): Compiled {
  switch (mark.kind) {
    case 'any':
      return anything;
    case 'bytes':
      return { kinds: KIND.bytes | KIND.string, wanted: TEXT_OR_BYTES, check: mark.text ? checkTextOrBytes : checkBytes };
    case 'callback':
      return { kinds: KIND.function, wanted: 'a function', check: (value) => (typeof value === 'function' ? value : new Failure('a function', value)) };
    case 'handle':
      return direction === 'argument' ? handleArgument(mark.type) : handleResult(mark.type);
  }
}

const checkBytes: Check = (value) => {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? utf8.encode(value) : new Failure(TEXT_OR_BYTES, value);
};

const checkTextOrBytes: Check = (value) => (typeof value === 'string' ? value : checkBytes(value));

function handleArgument(type: Handle['type']): Compiled {
  const wanted = withArticle(`${type.name} handle`);
  const check: Check = (value) => (value instanceof Handle && value.type === type ? value.target : new Failure(wanted, value));
  return { kinds: KIND.handle, wanted, check };
}

/** A handler may answer with the object behind the handle or with a handle that it has made itself. */
function handleResult(type: Handle['type']): Compiled {
  const wanted = `the object behind ${withArticle(`${type.name} handle`)}`;
  const check: Check = (value) => {
    if (value instanceof Handle) return value.type === type ? value : new Failure(wanted, value);
    return typeof value === 'object' && value !== null ? value : new Failure(wanted, value);
  };
  return { kinds: KIND.handle | KIND.other | KIND.map | KIND.function, wanted, check };
}

/** True where a value may stand for the object behind a handle: an object with a class of its own, or a handle. */
export function looksLikeTarget(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !isMap(value) && !Array.isArray(value) && !(value instanceof Uint8Array);
}
