import { choose, spend } from '../check/effort.ts';
import { Failure } from '../check/failure.ts';

/** What is answered instead of a value that does not fit. */
export const MISFIT = Symbol('misfit');

/** One check of a whole value. */
export interface Visit {
  /**
   * What scripts and models give counts as what is meant: an empty table is an array too, null at a property that is not required is none, and
   * what is missing gets its default. Otherwise data is taken as it stands.
   */
  readonly lenient: boolean;
  /** Collects every failure instead of the first. */
  readonly all: boolean;
  /** Keeps what was looked at, since the schema asks for the rest. */
  readonly counts: boolean;
  /** The keys that lead to the place. */
  readonly path: (string | number)[];
  readonly failures: Failure[];
  /** The resources that were entered, the outermost first. */
  readonly scopes: Resource[];
}

/** A schema with an identifier of its own. */
export interface Resource {
  readonly base: string;
  readonly dynamic: Map<string, object>;
}

/** Properties and items that some keyword has looked at, for those that ask for the rest. */
export interface Seen {
  readonly keys: Set<string>;
  readonly items: Set<number>;
}

/** One keyword at one place: the value, which it may have put right, or MISFIT after it has told why. */
export type Rule = (value: unknown, visit: Visit, seen: Seen | undefined) => unknown;

/** A schema, made ready. */
export interface Part {
  readonly rules: Rule[];
  /** What it wants, in words. */
  readonly wanted: string;
  /** What stands where nothing is given. */
  readonly fallback: unknown;
}

/** Nothing looked at yet; undefined where nobody asks. */
export function newSeen({ counts }: Visit): Seen | undefined {
  return counts ? { keys: new Set(), items: new Set() } : undefined;
}

/** So many failures are kept at most: nobody reads more. */
const MOST_FAILURES = 100;

/** Tells why a value does not fit. */
export function misfit(visit: Visit, wanted: string, found: unknown, sentence?: string | (() => string)): typeof MISFIT {
  return tell(visit, new Failure(wanted, found, true, sentence));
}

/** As `misfit`, for a value of another kind, of which the kind is told. */
export function otherKind(visit: Visit, wanted: string, found: unknown): typeof MISFIT {
  return tell(visit, new Failure(wanted, found));
}

function tell(visit: Visit, failure: Failure): typeof MISFIT {
  spend(1);
  if (visit.failures.length >= MOST_FAILURES) return MISFIT;
  for (let at = visit.path.length - 1; at >= 0; at--) failure.at(visit.path[at] as string | number);
  visit.failures.push(failure);
  return MISFIT;
}

/** The value as a schema has it, or MISFIT. */
export function fit({ rules }: Part, value: unknown, visit: Visit, seen: Seen | undefined): unknown {
  spend(1 + rules.length);
  let result = value;
  let fits = true;
  for (let i = 0; i < rules.length; i++) {
    const next = (rules[i] as Rule)(result, visit, seen);
    if (next !== MISFIT) result = next;
    else if (visit.all) fits = false;
    else return MISFIT;
  }
  return fits ? result : MISFIT;
}

/** As `fit`, for what lies at a key of the value. */
export function fitAt(part: Part, key: string | number, value: unknown, visit: Visit): unknown {
  visit.path.push(key);
  const result = fit(part, value, visit, newSeen(visit));
  visit.path.pop();
  return result;
}

/** As `fit`, at the same place; what was looked at counts where it fits. */
export function fitHere(part: Part, value: unknown, visit: Visit, seen: Seen | undefined): unknown {
  choose();
  const looked = newSeen(visit);
  const result = fit(part, value, visit, looked);
  // Where all failures are told, what a part has looked at is not told again.
  if (result === MISFIT && !visit.all) return MISFIT;
  if (looked) spend(looked.keys.size + looked.items.size);
  for (const key of looked?.keys ?? []) seen?.keys.add(key);
  for (const item of looked?.items ?? []) seen?.items.add(item);
  return result;
}

/** The same check for alternatives, whose failures are the caller's: the first of each. */
export function quietly(visit: Visit): Visit {
  return { ...visit, all: false, failures: [] };
}
