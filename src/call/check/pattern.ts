import type { RE2JS } from 're2js';
import type { z } from 'zod';
import { ScriptError } from '../../errors.ts';
import { re2 } from '../re2.ts';

/** A regular expression of a script: matched by RE2 in linear time, for JavaScript's own may take for ever and cannot be interrupted. */
export class LinearPattern extends RegExp {
  readonly #compiled: RE2JS;

  /** Throws BAD_ARGUMENT for what RE2 does not know, look-around and back-references among it. */
  constructor(source: string, path: string) {
    super(source);
    try {
      this.#compiled = re2().compile(source);
    } catch (error) {
      throw new ScriptError('BAD_ARGUMENT', `${path}: expected a pattern of RE2, got ${JSON.stringify(source.slice(0, 100))}`, { cause: error });
    }
  }

  override test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }
}

/** Makes every pattern inside a schema that a script gave a linear one. Throws BAD_ARGUMENT as `LinearPattern` does. */
export function makeLinear(schema: z.core.$ZodType, path: string): void {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value) || value instanceof RegExp) return;
    seen.add(value);
    const { _zod } = value as { _zod?: { def: Record<string, unknown> } };
    if (!_zod) return Object.values(value).forEach(visit);
    const { def } = _zod;
    if (def.check === 'string_format' && def.format === 'regex' && def.pattern instanceof RegExp) def.pattern = new LinearPattern(def.pattern.source, path);
    if (def.type === 'lazy' && typeof def.getter === 'function') visit(def.getter());
    Object.values(def).forEach(visit);
  };
  visit(schema);
}

/** A literal, at most one class or dot that repeats, and ends: nothing to go back to. */
const SIMPLE = /^\^?[^*+{}()|\\[\]?.$^]*(?:(?:\.|\[[^\]\\]*\]|\\[dws])[*+]?)?\$?$/;

/** Keywords whose values are maps of names, not keywords. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
/** Keywords under which the library keeps what it matches to itself. */
const CLOSED: ReadonlySet<string> = new Set(['propertyNames', 'contains']);

/**
 * Throws BAD_ARGUMENT for a pattern that is not simple where the library matches it itself, out of reach of `makeLinear`: beside
 * `additionalProperties = false`, and anywhere in a schema that has `propertyNames` or `contains`, which may refer to it.
 */
export function refuseClosedPatterns(json: unknown, path: string): void {
  const patterns: string[] = [];
  let closed: string | undefined;
  const refuse = (pattern: string, beside: string) => {
    if (!SIMPLE.test(pattern))
      throw new ScriptError('BAD_ARGUMENT', `${path}: beside ${beside} a pattern is a simple one such as ^x_.*$, got ${JSON.stringify(pattern.slice(0, 100))}`);
  };
  const visit = (value: unknown, isMap: boolean): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (!isMap) {
        if (CLOSED.has(key)) closed ??= key;
        if (key === 'pattern' && typeof item === 'string') patterns.push(item);
        if (key === 'patternProperties' && typeof item === 'object' && item !== null) {
          patterns.push(...Object.keys(item));
          if ((value as { additionalProperties?: unknown }).additionalProperties === false)
            for (const pattern of Object.keys(item)) refuse(pattern, 'additionalProperties = false');
        }
      }
      visit(item, !isMap && MAPS.has(key));
    }
  };
  visit(json, false);
  if (closed !== undefined) for (const pattern of patterns) refuse(pattern, closed);
}
