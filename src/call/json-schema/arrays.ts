import { spend } from '../check/effort.ts';
import { plural } from '../check/words.ts';
import { count, type Keyword, list } from './keyword.ts';
import { fit, fitAt, MISFIT, misfit, newSeen, type Part, quietly, type Rule, type Seen, type Visit } from './part.ts';
import { itemsOf, repeats } from './values.ts';

/** Keywords of arrays. */
export const ARRAYS: Readonly<Record<string, Keyword>> = {
  prefixItems: (given, at) => positional(list(given, at).map(at.compile)),
  items(given, at) {
    // As it was written before 2020: a schema for each place.
    if (Array.isArray(given)) return positional(given.map(at.compile));
    const from = Array.isArray(at.schema.prefixItems) ? at.schema.prefixItems.length : 0;
    return rest(at.compile(given), from);
  },
  additionalItems(given, { schema, compile }) {
    const { items } = schema;
    return Array.isArray(items) ? rest(compile(given), items.length) : undefined;
  },
  contains(given, at) {
    const part = at.compile(given);
    const { minContains = 1, maxContains = Number.POSITIVE_INFINITY } = at.schema as { minContains?: number; maxContains?: number };
    return ofArray((items, visit, seen) => {
      const quiet = quietly(visit);
      let found = 0;
      for (const [at, item] of items.entries()) {
        if (fit(part, item, quiet, newSeen(visit)) === MISFIT) continue;
        seen?.items.add(at);
        found++;
      }
      if (found < minContains) return misfit(visit, '', items, `expected at least ${minContains} of the items to be ${part.wanted}, got ${found}`);
      return found > maxContains ? misfit(visit, '', items, `expected at most ${maxContains} of the items to be ${part.wanted}, got ${found}`) : items;
    });
  },
  minContains: (given, at) => void count(given, at),
  maxContains: (given, at) => void count(given, at),
  minItems: (given, at) => size(count(given, at), (length, limit) => length >= limit, 'at least'),
  maxItems: (given, at) => size(count(given, at), (length, limit) => length <= limit, 'at most'),
  uniqueItems(given, { refuse }) {
    if (typeof given !== 'boolean') throw refuse('a boolean');
    if (!given) return undefined;
    return ofArray((items, visit) => {
      const isRepeated = repeats();
      const twice = items.findIndex(isRepeated);
      return twice < 0 ? items : fitAt(TWICE, twice, items[twice], visit);
    });
  },
  unevaluatedItems(given, { compile }) {
    const part = compile(given);
    return ofArray((items, visit, seen) => eachItem(items, 0, items.length, (at) => (seen?.items.has(at) ? undefined : part), visit, seen));
  },
};

const TWICE: Part = { rules: [(value, visit) => misfit(visit, 'an item that is not there before', value)], wanted: '', fallback: undefined };

/** A rule of arrays; anything else fits. */
function ofArray(rule: (items: readonly unknown[], visit: Visit, seen: Seen | undefined) => unknown): Rule {
  return (value, visit, seen) => {
    const items = itemsOf(value);
    return items ? rule(items, visit, seen) : value;
  };
}

function size(limit: number, fits: (length: number, limit: number) => boolean, words: string): Rule {
  const wanted = `expected ${words} ${plural(limit, 'item')}`;
  return ofArray((items, visit) => (fits(items.length, limit) ? items : misfit(visit, '', items, `${wanted}, got ${items.length}`)));
}

/** A schema for each of the first places. */
function positional(parts: readonly Part[]): Rule {
  return ofArray((items, visit, seen) => eachItem(items, 0, parts.length, (at) => parts[at], visit, seen));
}

/** One schema for all items from a place on. */
function rest(part: Part, from: number): Rule {
  return ofArray((items, visit, seen) => eachItem(items, from, items.length, () => part, visit, seen));
}

/** Items of a stretch against the parts for their places. */
function eachItem(
  items: readonly unknown[],
  from: number,
  to: number,
  partAt: (at: number) => Part | undefined,
  visit: Visit,
  seen: Seen | undefined,
): readonly unknown[] | typeof MISFIT {
  let changed: unknown[] | undefined;
  let fits = true;
  for (let at = from; at < to && at < items.length; at++) {
    const part = partAt(at);
    if (!part) continue;
    seen?.items.add(at);
    const next = fitAt(part, at, items[at], visit);
    if (next === MISFIT) {
      if (!visit.all) return MISFIT;
      fits = false;
    } else if (next !== items[at]) {
      if (!changed) {
        spend(items.length);
        changed = [...items];
      }
      changed[at] = next;
    }
  }
  return fits ? (changed ?? items) : MISFIT;
}
