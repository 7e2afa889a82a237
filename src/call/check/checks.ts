import { config, core, safeParse, type z } from 'zod';
import { ScriptError } from '../../errors.ts';
import type { Check } from './compiled.ts';
import { describeContent, Failure } from './failure.ts';

type ZodCheck = z.core.$ZodCheck<never>;

/** The checks of a schema in zod's order; a format like `z.url()` is its own first check. */
export function checksOf(schema: z.core.$ZodType): readonly ZodCheck[] {
  const added = (schema._zod.def.checks ?? []) as readonly ZodCheck[];
  return schema._zod.traits.has('$ZodCheck') ? [schema as unknown as ZodCheck, ...added] : added;
}

/** A check that runs `first` and then these checks of zod's own code, for the rarely used ones. */
export function withZodChecks(first: Check, checks: readonly ZodCheck[], wanted: string): Check {
  if (checks.length === 0) return first;
  return (value) => {
    const checked = first(value);
    if (checked instanceof Failure) return checked;
    const payload: z.core.ParsePayload = { value: checked, issues: [] };
    for (const check of checks) {
      if (check._zod.check(payload as never) instanceof Promise) throw new ScriptError('INTERNAL', 'a schema with an asynchronous check cannot be used here');
      const issue = payload.issues[0];
      if (issue) return failureOf(issue, checked, wanted);
    }
    return payload.value;
  };
}

/** A whole schema left to zod: transformations and what scripts cannot send. */
export function zodLeaf(schema: z.core.$ZodType, wanted: string): Check {
  return (value) => {
    const parsed = safeParse(schema, value);
    return parsed.success ? parsed.data : failureOf(parsed.error.issues[0], value, wanted);
  };
}

/** A message that the schema's author wrote stands (`expected …` gets its `, got …`); zod's own give way to ours. */
function failureOf(issue: z.core.$ZodRawIssue | z.core.$ZodIssue | undefined, value: unknown, wanted: string): Failure {
  const failure = new Failure(wanted, value, true, issue && ownMessage(issue, value));
  for (const key of (issue?.path ?? []).toReversed()) if (typeof key !== 'symbol') failure.at(key);
  return failure;
}

function ownMessage(issue: z.core.$ZodRawIssue | z.core.$ZodIssue, value: unknown): string | undefined {
  const message = core.util.finalizeIssue(issue as z.core.$ZodRawIssue, {}, config()).message;
  if (/^(Invalid|Too|Unrecognized) /.test(message)) return undefined;
  return message.startsWith('expected ') && !message.includes(', got ') ? `${message}, got ${describeContent(value)}` : message;
}
