import { doneAtOnce } from '../call/breath.ts';
import { isMap } from '../call/check/kind.ts';
import type { Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

const MOST_FOUND = 10_000;
const MOST_LOOKED = 500_000;
/** What a message on what has been found begins with. */
export const FOUND = 'json_query: query: what it finds';
/** Places that are looked at in one step. */
const STEP = 1_000;

/** Every value that a path leads to. Throws BAD_ARGUMENT when the path cannot be read, and LIMIT_EXCEEDED when it leads to too many places. */
export function find(data: Value, path: string): Value[] {
  return doneAtOnce(findInSteps(data, path));
}

/** As `find`, in steps of about a thousand places. */
export function* findInSteps(data: Value, path: string): Generator<undefined, Value[]> {
  let found: Value[] = [data];
  let looked = 0;
  for (const step of parse(path)) {
    const next: Value[] = [];
    for (const value of found) {
      for (const at of step.deep ? descendants(value) : [value]) {
        if (++looked > MOST_LOOKED) throw new ScriptError('LIMIT_EXCEEDED', `json_query: query: it looks at more than ${MOST_LOOKED} places`);
        if (looked % STEP === 0) yield;
        for (const one of select(at, step)) {
          next.push(one);
          if (next.length > MOST_FOUND) throw new ScriptError('LIMIT_EXCEEDED', `json_query: query: more than ${MOST_FOUND} values`);
        }
      }
    }
    found = next;
  }
  return found;
}

interface Step {
  readonly deep: boolean;
  readonly key?: string;
  readonly all?: true;
  readonly index?: number;
  readonly range?: readonly [number | undefined, number | undefined];
}

/** A character in quotes that stands for itself, and what may follow a backslash there beside the quote (RFC 9535, section 2.3.1.1): halves of surrogate pairs only as pairs. */
const PLAIN = String.raw`[^"'\\\u0000-\u001f]`;
const ESCAPED = String.raw`[bfnrt\/\\]|u(?:[\dA-Ca-cE-Fe-f][\dA-Fa-f]{3}|[Dd][0-7][\dA-Fa-f]{2}|[Dd][89ABab][\dA-Fa-f]{2}\\u[Dd][C-Fc-f][\dA-Fa-f]{2})`;
const QUOTED = String.raw`"((?:${PLAIN}|'|\\(?:"|${ESCAPED}))*)"|'((?:${PLAIN}|"|\\(?:'|${ESCAPED}))*)'`;
const PART = new RegExp(String.raw`(\.\.|\.)?(?:([\p{L}_][\p{L}\p{N}_\-]*)|(\*)|\[(?:(\*)|(-?\d+)|((?:-?\d+)?):((?:-?\d+)?)|${QUOTED})\])`, 'uy');

function parse(path: string): Step[] {
  const steps: Step[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    PART.lastIndex = at;
    const found = PART.exec(path);
    if (!found || (at > 0 && found[1] === undefined && !found[0].startsWith('[')))
      throw new ScriptError('BAD_ARGUMENT', `json_query: query: cannot read ${JSON.stringify(path.slice(at, at + 20))} at position ${at + 1}`);
    at = PART.lastIndex;
    steps.push(stepOf(found));
  }
  return steps;
}

function stepOf([, dots, name, star, allInside, index, from, to, quoted, single]: RegExpExecArray): Step {
  const deep = dots === '..';
  if (star || allInside) return { deep, all: true };
  if (index !== undefined) return { deep, index: Number(index) };
  if (from !== undefined) return { deep, range: [from === '' ? undefined : Number(from), to ? Number(to) : undefined] };
  return { deep, key: name ?? unescaped(quoted ?? doubled(single ?? '')) };
}

function unescaped(text: string): string {
  return JSON.parse(`"${text}"`) as string;
}

/** The text between single quotes as it stands between double ones. */
function doubled(text: string): string {
  return text.replaceAll(/\\.|"/gs, (part) => (part === "\\'" ? "'" : part === '"' ? '\\"' : part));
}

function select(value: Value, { key, all, index, range }: Step): readonly Value[] {
  if (key !== undefined) return isMap(value) && Object.hasOwn(value, key) ? [(value[key] ?? null) as Value] : [];
  if (all) return childrenOf(value);
  if (!Array.isArray(value)) return [];
  if (range) return value.slice(...range);
  const item = value.at(index as number);
  return item === undefined ? [] : [item];
}

/** The value and all that lies in it, each before what lies in it. */
function* descendants(value: Value): Generator<Value> {
  const left = [value];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    yield next;
    const children = childrenOf(next);
    for (let at = children.length - 1; at >= 0; at--) left.push(children[at] ?? null);
  }
}

function childrenOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : isMap(value) ? (Object.values(value) as Value[]) : [];
}
