import { spend } from '../check/effort.ts';
import type { Failure } from '../check/failure.ts';
import { joinWords } from '../check/kind.ts';
import { type At, type Keyword, list, map, names } from './keyword.ts';
import { fitHere, MISFIT, misfit, type Part, quietly, type Rule, type Visit } from './part.ts';
import { mapOf } from './values.ts';

/** Keywords that hold further schemas against the same value. */
export const IN_PLACE: Readonly<Record<string, Keyword>> = {
  $ref(given, { document, schema, compile, refuse }) {
    if (typeof given !== 'string') throw refuse('a string');
    const target = document.find(given, schema);
    return entering(() => compile(target), target, document);
  },
  $dynamicRef(given, { document, schema, compile, refuse }) {
    if (typeof given !== 'string') throw refuse('a string');
    const target = document.find(given, schema);
    const name = typeof target === 'object' ? (target as { $dynamicAnchor?: unknown }).$dynamicAnchor : undefined;
    if (typeof name !== 'string' || !given.endsWith(`#${name}`)) return entering(() => compile(target), target, document);
    return (value, visit, seen) => {
      spend(visit.scopes.length);
      const outermost = visit.scopes.find(({ dynamic }) => dynamic.has(name))?.dynamic.get(name) ?? target;
      return entering(() => compile(outermost), outermost, document)(value, visit, seen);
    };
  },
  allOf(given, at) {
    const parts = partsOf(given, at);
    return (value, visit, seen) => {
      let result = value;
      let fits = true;
      for (const part of parts) {
        const next = fitHere(part, result, visit, seen);
        if (next !== MISFIT) result = next;
        else if (visit.all) fits = false;
        else return MISFIT;
      }
      return fits ? result : MISFIT;
    };
  },
  anyOf(given, at) {
    const parts = partsOf(given, at);
    return (value, visit, seen) => {
      const quiet = quietly(visit);
      let result: unknown = MISFIT;
      for (const part of parts) {
        const next = fitHere(part, value, quiet, seen);
        if (next === MISFIT) continue;
        if (result === MISFIT) result = next;
        // The others count only for what they have looked at.
        if (!visit.counts) break;
      }
      return result === MISFIT ? mostLikely(parts, quiet.failures, value, visit) : result;
    };
  },
  oneOf(given, at) {
    const parts = partsOf(given, at);
    return (value, visit, seen) => {
      const quiet = quietly(visit);
      const fitting: number[] = [];
      let result: unknown = MISFIT;
      for (const [index, part] of parts.entries()) {
        const next = fitHere(part, value, quiet, seen);
        if (next === MISFIT) continue;
        result = next;
        fitting.push(index + 1);
      }
      if (fitting.length > 1) return misfit(visit, '', value, `expected exactly one of the alternatives to fit, but ${fitting.join(' and ')} do`);
      return fitting.length === 1 ? result : mostLikely(parts, quiet.failures, value, visit);
    };
  },
  not(given, { compile }) {
    const part = compile(given);
    return (value, visit) => {
      const result = fitHere(part, value, quietly(visit), undefined);
      return result === MISFIT ? value : misfit(visit, part.rules.length === 0 ? 'nothing' : `anything but ${part.wanted}`, value);
    };
  },
  if(given, { schema, compile }) {
    const [condition, so, otherwise] = [given, schema.then ?? true, schema.else ?? true].map(compile) as [Part, Part, Part];
    return (value, visit, seen) => {
      const result = fitHere(condition, value, quietly(visit), seen);
      return fitHere(result === MISFIT ? otherwise : so, value, visit, seen);
    };
  },
  dependentRequired: (given, at) => dependent(map(given, at), at),
  dependentSchemas: (given, at) => dependent(map(given, at), at),
  // As it was written before 2019.
  dependencies: (given, at) => dependent(map(given, at), at),
};

function partsOf(given: unknown, at: At): Part[] {
  return list(given, at).map(at.compile);
}

/** What depends on a property: names of others, or a schema of the whole. */
function dependent(given: Readonly<Record<string, unknown>>, at: At): Rule {
  const wanted = Object.entries(given).map(([name, needs]) => (Array.isArray(needs) ? { name, names: names(needs, at) } : { name, part: at.compile(needs) }));
  const steps = wanted.reduce((sum, { names = [] }) => sum + 1 + names.length, 0);
  return (value, visit, seen) => {
    spend(steps);
    let result = value;
    for (const { name, names = [], part } of wanted) {
      const properties = mapOf(result);
      if (!properties || !Object.hasOwn(properties, name)) continue;
      const missing = names.find((other) => !Object.hasOwn(properties, other));
      if (missing !== undefined) return misfit(visit, '', value, `expected ${JSON.stringify(missing)} beside ${JSON.stringify(name)}`);
      if (part) result = fitHere(part, result, visit, seen);
      if (result === MISFIT) return MISFIT;
    }
    return result;
  };
}

/** Another part of the document, compiled when it is first needed: it may refer back. */
function entering(compile: () => Part, target: object | boolean, document: At['document']): Rule {
  let part: Part | undefined;
  return (value, visit, seen) => {
    part ??= compile();
    if (typeof target === 'boolean') return fitHere(part, value, visit, seen);
    visit.scopes.push(document.home(target));
    const result = fitHere(part, value, visit, seen);
    visit.scopes.pop();
    return result;
  };
}

/** So many alternatives are told. */
const MOST_WORDS = 20;

/** Tells why no alternative fits: of the one that got furthest, or what all of them want. */
function mostLikely(parts: readonly Part[], failures: readonly Failure[], value: unknown, visit: Visit): typeof MISFIT {
  const [furthest] = failures.filter(({ keys }) => keys.length > visit.path.length).sort((a, b) => b.keys.length - a.keys.length);
  const [only] = failures;
  const failure = furthest ?? (failures.length === 1 ? only : undefined);
  if (!failure) {
    const words = parts.slice(0, MOST_WORDS).map(({ wanted }) => wanted);
    if (parts.length > MOST_WORDS) words.push(`${parts.length - MOST_WORDS} others`);
    return misfit(visit, joinWords(words), value);
  }
  visit.failures.push(failure);
  return MISFIT;
}
