import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { valueText } from '../model/model.ts';

/** One `$…` in a string of a step: `$input.field`, `$search.output.results[1].url`, `$loop.value`, `$state.scope.key`. */
export interface Reference {
  readonly text: string;
  /** `input`, `loop`, `state`, or the name of a step. */
  readonly root: string;
  readonly path: readonly (string | number)[];
}

/** Resolves a reference's root; undefined when there is nothing of that name. */
export type Lookup = (reference: Reference) => Value | undefined | Promise<Value | undefined>;

const REFERENCE = /\$(?:\$|([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*|\[\d+\]|\["[^"\]]*"\])*))/g;
const PART = /\.([A-Za-z_][\w-]*)|\[(\d+)\]|\["([^"\]]*)"\]/g;

/** Every reference in the strings of a value. */
export function referencesIn(value: Value): Reference[] {
  if (typeof value === 'string') return [...value.matchAll(REFERENCE)].filter(([, root]) => root !== undefined).map(toReference);
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  return isMap(value) ? Object.values(value).flatMap(referencesIn) : [];
}

/** The value with its references resolved: a string that is nothing but one passes the value as it is, else texts are put in. Throws BAD_ARGUMENT for one that leads nowhere. */
export async function resolveReferences(value: Value, lookup: Lookup, firstPosition: 0 | 1): Promise<Value> {
  if (typeof value === 'string') return value.includes('$') ? resolveText(value, lookup, firstPosition) : value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => resolveReferences(item, lookup, firstPosition)));
  if (!isMap(value)) return value;
  const entries = await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await resolveReferences(item, lookup, firstPosition)] as const));
  return Object.fromEntries(entries);
}

async function resolveText(text: string, lookup: Lookup, firstPosition: 0 | 1): Promise<Value> {
  const found = [...text.matchAll(REFERENCE)];
  const [only] = found;
  if (found.length === 1 && only?.[0] === text && only[1] !== undefined) return resolveOne(toReference(only), lookup, firstPosition);
  let result = '';
  let at = 0;
  for (const match of found) {
    result += text.slice(at, match.index) + (match[1] === undefined ? '$' : valueText(await resolveOne(toReference(match), lookup, firstPosition)));
    at = match.index + match[0].length;
  }
  return result + text.slice(at);
}

async function resolveOne(reference: Reference, lookup: Lookup, firstPosition: 0 | 1): Promise<Value> {
  const root = await lookup(reference);
  if (root === undefined) throw nowhere(reference);
  // A path into the state begins behind scope and key, which the lookup has used.
  const path = reference.root === 'state' ? reference.path.slice(2) : reference.path;
  return follow(root, path, reference, firstPosition);
}

function follow(root: Value, path: readonly (string | number)[], reference: Reference, firstPosition: 0 | 1): Value {
  let value: Value = root;
  for (const part of path) {
    const next: Value | undefined =
      typeof part === 'number'
        ? Array.isArray(value)
          ? value[part - firstPosition]
          : undefined
        : isMap(value) && Object.hasOwn(value, part)
          ? value[part]
          : undefined;
    if (next === undefined) throw nowhere(reference);
    value = next;
  }
  return value;
}

function toReference([text, root = '', rest = '']: RegExpMatchArray): Reference {
  const path = [...rest.matchAll(PART)].map(([, name, position, quoted]) => (position === undefined ? (name ?? quoted ?? '') : Number(position)));
  return { text, root, path };
}

function nowhere({ text }: Reference): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `the reference ${text} leads nowhere`);
}

function isMap(value: Value | undefined): value is ValueMap {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
