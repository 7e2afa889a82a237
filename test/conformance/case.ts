import type { Grants, Limits } from '../../src/call/context.ts';
import type { Value } from '../../src/call/value.ts';
import type { ConfigInput } from '../../src/config/config.ts';

/** What both languages must do alike: one script in each, and what comes out of both. */
export interface Case {
  readonly name: string;
  /** A chunk whose return value counts. */
  readonly lua: string;
  /** A script whose completion value, default export or top-level return counts. */
  readonly js: string;
  /** As plain data; asymmetric matchers of vitest may stand in it. */
  readonly expect?: unknown;
  /** Not with every call waiting: the order holds only where calls answer at once, or the case is dear and waits change nothing in it. */
  readonly at_once?: true;
  readonly output?: readonly string[];
  readonly expect_error?: { readonly code?: string; readonly message?: string | RegExp };
  readonly args?: readonly string[];
  readonly input?: Value;
  readonly grants?: Partial<Grants>;
  readonly limits?: Partial<Limits>;
  readonly config?: ConfigInput;
}
