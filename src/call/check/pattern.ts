import { RE2JS } from 're2js';
import type { z } from 'zod';
import { ScriptError } from '../../errors.ts';

/** A regular expression of a script: matched by RE2 in linear time, for JavaScript's own may take for ever and cannot be interrupted. */
export class LinearPattern extends RegExp {
  readonly #compiled: RE2JS;

  /** Throws BAD_ARGUMENT for what RE2 does not know, look-around and back-references among it. */
  constructor(source: string, path: string) {
    super(source);
    try {
      this.#compiled = RE2JS.compile(source);
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

/** Throws BAD_ARGUMENT where `patternProperties` meet `additionalProperties = false` and a pattern is not simple: those the library matches itself. */
export function refuseClosedPatterns(json: unknown, path: string): void {
  if (typeof json !== 'object' || json === null) return;
  const { patternProperties, additionalProperties } = json as Record<string, unknown>;
  if (additionalProperties === false && typeof patternProperties === 'object' && patternProperties !== null)
    for (const pattern of Object.keys(patternProperties))
      if (!SIMPLE.test(pattern))
        throw new ScriptError(
          'BAD_ARGUMENT',
          `${path}: patternProperties: beside additionalProperties = false a pattern is a simple one such as ^x_.*$, got ${JSON.stringify(pattern)}`,
        );
  for (const item of Object.values(json)) refuseClosedPatterns(item, path);
}
