import type { z } from 'zod';
import { specialOf } from '../call/check/special.ts';
import { mayBeMissing, type Special } from '../call/schema.ts';

/** A schema as both languages' types are made from it. */
export type TypeShape =
  | { readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'any' | 'nothing' | 'map' }
  | { readonly kind: 'special'; readonly special: Special }
  | { readonly kind: 'values'; readonly values: readonly (string | number | boolean | null)[] }
  | { readonly kind: 'list'; readonly item: TypeShape }
  | { readonly kind: 'mapOf'; readonly item: TypeShape }
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  | { readonly kind: 'union'; readonly options: readonly TypeShape[] };

/** A field of an object, or a parameter. */
export interface Field {
  readonly name: string;
  readonly type: TypeShape;
  readonly optional: boolean;
  readonly doc: string;
  readonly fallback: unknown;
}

/** What a schema describes; optional and default wrappers are taken off. */
export function shapeOf(schema: z.core.$ZodType): TypeShape {
  const special = specialOf(schema);
  if (special) return special.kind === 'any' ? { kind: 'any' } : { kind: 'special', special };
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'string':
      return { kind: 'text' };
    case 'number':
      return { kind: isInteger(schema) ? 'integer' : 'number' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'void':
    case 'undefined':
    case 'null':
      return { kind: 'nothing' };
    case 'literal':
      return { kind: 'values', values: def.values as string[] };
    case 'enum':
      return { kind: 'values', values: Object.values(def.entries) as string[] };
    case 'array':
      return { kind: 'list', item: shapeOf(def.element) };
    case 'record': {
      const item = shapeOf(def.valueType);
      return item.kind === 'any' ? { kind: 'map' } : { kind: 'mapOf', item };
    }
    case 'object':
      return { kind: 'object', fields: Object.entries(def.shape).map(([name, field]) => fieldOf(name, field)) };
    case 'union':
      return union(def.options.map(shapeOf));
    case 'nullable':
      return union([shapeOf(def.innerType), { kind: 'nothing' }]);
    case 'optional':
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'nonoptional':
      return shapeOf(def.innerType);
    case 'pipe':
      return shapeOf(def.in);
    default:
      return { kind: 'any' };
  }
}

/** A parameter or field with its doc and default. */
export function fieldOf(name: string, schema: z.core.$ZodType): Field {
  return { name, type: shapeOf(schema), optional: mayBeMissing(schema), doc: docOf(schema), fallback: defaultOf(schema) };
}

function union(options: readonly TypeShape[]): TypeShape {
  const flat = options.flatMap((option) => (option.kind === 'union' ? option.options : [option]));
  return { kind: 'union', options: flat };
}

function isInteger(schema: z.core.$ZodType): boolean {
  const { format } = schema._zod.def as { format?: string };
  return format === 'safeint' || format === 'int32';
}

function docOf(schema: z.core.$ZodType): string {
  const described = (schema as z.ZodType).description;
  if (described !== undefined) return described;
  const def = (schema as z.core.$ZodTypes)._zod.def;
  return 'innerType' in def ? docOf(def.innerType) : '';
}

function defaultOf(schema: z.core.$ZodType): unknown {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === 'default' || def.type === 'prefault') return def.defaultValue;
  return 'innerType' in def ? defaultOf(def.innerType) : undefined;
}
