import { spend } from '../check/effort.ts';
import { unknownName } from '../check/object.ts';
import { define } from '../value.ts';
import { count, type Keyword, map, names } from './keyword.ts';
import { fit, fitAt, MISFIT, misfit, newSeen, otherKind, type Part, quietly, type Rule, type Seen, type Visit } from './part.ts';
import { mapOf } from './values.ts';

type Properties = Record<string, unknown>;

/** Keywords of maps. */
export const OBJECTS: Readonly<Record<string, Keyword>> = {
  // A mistyped name explains one that is missing or wrong.
  additionalProperties(given, at) {
    const known = new Set(Object.keys(mapOf(at.schema.properties) ?? {}));
    const patterns = Object.keys(mapOf(at.schema.patternProperties) ?? {}).map((pattern) => at.document.pattern(pattern, at.schema, 'patternProperties'));
    const part = at.compile(given);
    const isOther = (key: string) => !known.has(key) && !patterns.some((matches) => matches(key));
    const refusal = given === false ? (key: string) => unknownName(key, known) : undefined;
    return ofMap((properties, visit, seen) => others(properties, isOther, part, refusal, visit, seen));
  },
  properties(given, at) {
    const parts = Object.entries(map(given, at)).map(([name, schema]) => ({ name, part: at.compile(schema) }));
    const required = new Set(Array.isArray(at.schema.required) ? at.schema.required : []);
    return ofMap((properties, visit, seen) => {
      spend(parts.length);
      let result = properties;
      let fits = true;
      for (const { name, part } of parts) {
        const given = Object.hasOwn(properties, name) ? properties[name] : undefined;
        if (given === undefined) {
          if (!visit.lenient || part.fallback === undefined) continue;
        } else {
          seen?.keys.add(name);
        }
        // Null stands for a property that is not given, unless the schema takes it.
        const absent = visit.lenient && given === null && !required.has(name) && fitAt(part, name, null, quietly(visit)) === MISFIT;
        const next = absent ? undefined : fitAt(part, name, given === undefined ? part.fallback : given, visit);
        if (next !== MISFIT) result = changed(result, properties, name, next);
        else if (visit.all) fits = false;
        else return MISFIT;
      }
      return fits ? result : MISFIT;
    });
  },
  patternProperties(given, at) {
    const patterns = Object.entries(map(given, at)).map(([pattern, schema]) => ({
      matches: at.document.pattern(pattern, at.schema, 'patternProperties'),
      part: at.compile(schema),
    }));
    return ofMap((properties, visit, seen) => {
      let result: Properties | typeof MISFIT = properties;
      for (const { matches, part } of patterns) {
        result = others(result, matches, part, undefined, visit, seen);
        if (result === MISFIT) return MISFIT;
      }
      return result;
    });
  },
  propertyNames(given, { compile }) {
    const part = compile(given);
    return ofMap((properties, visit) => {
      const quiet = quietly(visit);
      for (const key of keysOf(properties)) {
        if (fit(part, key, quiet, newSeen(visit)) === MISFIT) return misfit(visit, '', properties, `expected other names than ${JSON.stringify(key)}`);
      }
      return properties;
    });
  },
  required(given, at) {
    const wanted = names(given, at);
    const properties = mapOf(at.schema.properties) ?? {};
    return ofMap((value, visit) => {
      spend(wanted.length);
      let fits = true;
      for (const name of wanted) {
        if (Object.hasOwn(value, name) && value[name] !== undefined) continue;
        const schema = Object.hasOwn(properties, name) ? properties[name] : true;
        const { wanted: words } = at.compile(schema);
        visit.path.push(name);
        otherKind(visit, words, undefined);
        visit.path.pop();
        if (!visit.all) return MISFIT;
        fits = false;
      }
      return fits ? value : MISFIT;
    });
  },
  minProperties: (given, at) => size(count(given, at), (length, limit) => length >= limit, 'at least'),
  maxProperties: (given, at) => size(count(given, at), (length, limit) => length <= limit, 'at most'),
  unevaluatedProperties(given, { compile }) {
    const part = compile(given);
    const refusal = given === false ? (key: string) => `unknown option ${JSON.stringify(key)}` : undefined;
    return ofMap((properties, visit, seen) => others(properties, (key) => !seen?.keys.has(key), part, refusal, visit, seen));
  },
};

/** A rule of maps; anything else fits. */
function ofMap(rule: (properties: Properties, visit: Visit, seen: Seen | undefined) => unknown): Rule {
  return (value, visit, seen) => {
    const properties = mapOf(value);
    return properties ? rule(properties, visit, seen) : value;
  };
}

/** The properties that are meant against one schema; where none may be, the refusal tells so of each. */
function others(
  properties: Properties,
  isMeant: (key: string) => boolean,
  part: Part,
  refusal: ((key: string) => string) | undefined,
  visit: Visit,
  seen: Seen | undefined,
): Properties | typeof MISFIT {
  let result = properties;
  let fits = true;
  for (const key of keysOf(properties)) {
    if (!isMeant(key)) continue;
    seen?.keys.add(key);
    const next = refusal ? misfit(visit, '', properties, () => refusal(key)) : fitAt(part, key, properties[key], visit);
    if (next !== MISFIT) result = changed(result, properties, key, next);
    else if (visit.all) fits = false;
    else return MISFIT;
  }
  return fits ? result : MISFIT;
}

/** The properties with another value, or without one; a copy of the original is made at the first change. */
function changed(now: Properties, original: Properties, key: string, value: unknown): Properties {
  if ((Object.hasOwn(now, key) ? now[key] : undefined) === value) return now;
  let copy = now;
  if (now === original) {
    copy = {};
    for (const name of keysOf(original)) define(copy, name, original[name]);
  }
  if (value === undefined) delete copy[key];
  else define(copy, key, value);
  return copy;
}

/** The names of properties, each of which costs some steps. */
function keysOf(properties: Properties): string[] {
  const keys = Object.keys(properties);
  spend(keys.length * 8);
  return keys;
}

function size(limit: number, fits: (length: number, limit: number) => boolean, words: string): Rule {
  const wanted = `expected ${words} ${limit} ${limit === 1 ? 'property' : 'properties'}`;
  return ofMap((properties, visit) => {
    const { length } = keysOf(properties);
    return fits(length, limit) ? properties : misfit(visit, '', properties, `${wanted}, got ${length}`);
  });
}
