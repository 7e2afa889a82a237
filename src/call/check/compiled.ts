import type { z } from 'zod';

/** Answers the checked value, or a Failure; never throws for bad data, never changes its argument. */
export type Check = (value: unknown) => unknown;

/** One compiled schema. */
export interface Compiled {
  readonly check: Check;
  /** Bits of the kinds of values that it can take. */
  readonly kinds: number;
  /** What it wants, in words for a message: `a non-empty string`. */
  readonly wanted: string;
  /** How much a map looks as if it was meant for this schema; only maps of known keys say so. */
  readonly affinity?: (map: Record<string, unknown>) => number;
  /** Fields of one value each, by which a map shows that it was meant for this schema. */
  readonly tags?: ReadonlyMap<string, Compiled>;
}

/** Which way values go: arguments come from scripts with handles, results come from handlers with the objects behind them. */
export type Direction = 'argument' | 'result';

/** Compiles a part of a schema in the same direction. */
export type CompilePart = (schema: z.core.$ZodType) => Compiled;
