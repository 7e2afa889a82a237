import type { z } from 'zod';
import { checksOf, withZodChecks, zodLeaf } from './checks.ts';
import type { Check, Compiled, CompilePart, Direction } from './compiled.ts';
import { Failure } from './failure.ts';
import { ANY_KIND, KIND } from './kind.ts';
import { compileArray, compileTuple } from './list.ts';
import { compileObject, compileRecord } from './object.ts';
import { compileBigint, compileBoolean, compileNumber, compileOneOf, compileString } from './scalar.ts';
import { anything, compileSpecial, specialOf } from './special.ts';
import { compileIntersection, compileLater, compileUnion } from './union.ts';

const compiled: Record<Direction, WeakMap<z.core.$ZodType, Compiled>> = { argument: new WeakMap(), result: new WeakMap() };

/** A schema as closures, compiled once; checking never touches zod but for transformations and rare formats. */
export function compile(schema: z.core.$ZodType, direction: Direction): Compiled {
  const known = compiled[direction].get(schema);
  if (known) return known;
  compiled[direction].set(
    schema,
    compileLater(() => made, ANY_KIND),
  );
  const part: CompilePart = (inner) => compile(inner, direction);
  const made = compileOne(schema as z.core.$ZodTypes, part, direction);
  compiled[direction].set(schema, made);
  return made;
}

function compileOne(schema: z.core.$ZodTypes, part: CompilePart, direction: Direction): Compiled {
  const mark = specialOf(schema);
  if (mark) {
    const special = compileSpecial(mark, direction);
    return { ...special, check: withZodChecks(special.check, checksOf(schema).slice(1), special.wanted) };
  }
  const def = schema._zod.def;
  switch (def.type) {
    case 'string':
      return 'coerce' in def && def.coerce ? leaf(schema) : compileString(schema);
    case 'number':
      return 'coerce' in def && def.coerce ? leaf(schema) : compileNumber(schema);
    case 'bigint':
      return compileBigint(schema);
    case 'boolean':
      return 'coerce' in def && def.coerce ? leaf(schema) : compileBoolean(schema);
    case 'null':
      return { kinds: KIND.nil, wanted: 'nil', check: (value) => (value === null || value === undefined ? null : new Failure('nil', value)) };
    case 'undefined':
    case 'void':
      return { kinds: KIND.nil, wanted: 'nil', check: (value) => (value === null || value === undefined ? undefined : new Failure('nil', value)) };
    case 'never':
      return { kinds: 0, wanted: 'nothing', check: (value) => new Failure('nothing', value) };
    case 'unknown':
    case 'any':
      return checksOf(schema).length === 0 ? anything : { ...anything, check: withZodChecks(anything.check, checksOf(schema), 'a value') };
    case 'literal':
      return compileOneOf(schema, def.values);
    case 'enum':
      return compileOneOf(schema, enumValues(def.entries));
    case 'array':
      return compileArray(schema as z.core.$ZodArray, part);
    case 'tuple':
      return compileTuple(schema as z.core.$ZodTuple, part);
    case 'object':
      return compileObject(schema as z.core.$ZodObject, part);
    case 'record':
      return compileRecord(schema as z.core.$ZodRecord, part);
    case 'union':
      return checked(compileUnion(def.options.map(part)), schema);
    case 'intersection':
      return checked(compileIntersection(part(def.left), part(def.right)), schema);
    case 'optional':
      return compileOptional(part(def.innerType));
    case 'nullable':
      return compileNullable(part(def.innerType));
    case 'default':
      return compileAbsent(part(def.innerType), () => def.defaultValue);
    case 'prefault': {
      const inner = part(def.innerType);
      return compileAbsent(inner, () => inner.check(def.defaultValue));
    }
    case 'nonoptional':
    case 'readonly':
      return part(def.innerType);
    case 'lazy':
      return compileLater(() => part(def.getter()), ANY_KIND);
    case 'pipe':
      return compilePipe(schema as z.core.$ZodPipe, part);
    default:
      return leaf(schema);
  }
}

function checked(inner: Compiled, schema: z.core.$ZodType): Compiled {
  return { ...inner, check: withZodChecks(inner.check, checksOf(schema), inner.wanted) };
}

function leaf(schema: z.core.$ZodType): Compiled {
  const wanted = schema._zod.def.type === 'transform' ? 'a value' : `a ${schema._zod.def.type}`;
  return { kinds: ANY_KIND, wanted, check: zodLeaf(schema, wanted) };
}

/** As zod does for TypeScript enums: their reverse mappings are no entries. */
function enumValues(entries: Readonly<Record<string, string | number>>): (string | number)[] {
  const numbers = Object.values(entries).filter((value) => typeof value === 'number');
  return Object.entries(entries)
    .filter(([key]) => !numbers.includes(Number(key)))
    .map(([, value]) => value);
}

/** Absent stays absent; null counts as absent unless the schema itself takes null. */
function compileOptional(inner: Compiled): Compiled {
  const nullMeansAbsent = (inner.kinds & KIND.nil) === 0;
  const check: Check = (value) => (value === undefined || (value === null && nullMeansAbsent) ? undefined : inner.check(value));
  return { ...inner, kinds: inner.kinds | KIND.nil, check };
}

function compileNullable(inner: Compiled): Compiled {
  const check: Check = (value) => (value === null || value === undefined ? null : inner.check(value));
  return { ...inner, kinds: inner.kinds | KIND.nil, wanted: `${inner.wanted} or nil`, check };
}

function compileAbsent(inner: Compiled, fallback: () => unknown): Compiled {
  const nullMeansAbsent = (inner.kinds & KIND.nil) === 0;
  const check: Check = (value) => (value === undefined || (value === null && nullMeansAbsent) ? fallback() : inner.check(value));
  return { ...inner, kinds: inner.kinds | KIND.nil, check };
}

/** One side after the other; a codec has its own code and is left to zod. */
function compilePipe(schema: z.core.$ZodPipe, part: CompilePart): Compiled {
  const def = schema._zod.def;
  if ('transform' in def && def.transform !== undefined) return leaf(schema);
  const from = part(def.in);
  const to = part(def.out);
  const check: Check = (value) => {
    const first = from.check(value);
    return first instanceof Failure ? first : to.check(first);
  };
  return checked({ kinds: from.kinds, wanted: from.wanted, check }, schema);
}
