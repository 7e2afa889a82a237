import type { Check, Compiled } from './compiled.ts';
import { choose } from './effort.ts';
import { Failure } from './failure.ts';
import { isEmptyMap, isMap, joinWords, KIND, kindOf } from './kind.ts';

/** The option that takes the value, the best fitting one first where several take maps; else the failure of the option that was most likely meant. */
export function compileUnion(options: readonly Compiled[]): Compiled {
  const kinds = options.reduce((bits, option) => bits | option.kinds, 0);
  const wanted = joinWords(options.map((option) => option.wanted));
  const tag = commonTag(options);
  const check: Check = (value) => {
    const candidates = candidatesFor(value, options);
    if (candidates.length === 0) return new Failure(wanted, value);
    const stray = tag !== undefined && isMap(value) ? strayTag(tag, options, value) : undefined;
    if (stray) return stray;
    let failed: Failure | undefined;
    const failures: Failure[] = [];
    for (const option of ordered(candidates, value)) {
      choose();
      const checked = option.check(value);
      if (!(checked instanceof Failure)) return checked;
      failures.push(checked);
      if (failed === undefined || checked.keys.length > failed.keys.length) failed = failed && isMap(value) ? failed : checked;
    }
    if (isMap(value) && candidates.length > 1 && sameField(failures))
      return new Failure(joinWords([...new Set(failures.map((one) => one.wanted))]), failed?.found, failed?.content).at(failed?.keys[0] ?? '');
    if (failed === undefined || failed.keys.length > 0 || failed.sentence !== undefined) return failed;
    return new Failure(wanted, value, true);
  };
  return { kinds, wanted, check };
}

/** The field that tells the options apart; undefined where there is none. */
function commonTag(options: readonly Compiled[]): string | undefined {
  return [...(options[0]?.tags?.keys() ?? [])].find((key) => options.every(({ tags }) => tags?.has(key)));
}

/** A failure at that field when no option is meant by it. */
function strayTag(tag: string, options: readonly Compiled[], map: Record<string, unknown>): Failure | undefined {
  const given = Object.hasOwn(map, tag) ? map[tag] : undefined;
  const checks = options.flatMap(({ tags }) => tags?.get(tag) ?? []);
  if (checks.some(({ check }) => !(check(given) instanceof Failure))) return undefined;
  return new Failure(joinWords(checks.map(({ wanted }) => wanted)), given, typeof given === 'string').at(tag);
}

/** True when all options of a map fail at the same field of it, the one that tells them apart. */
function sameField(failures: readonly Failure[]): boolean {
  const key = failures[0]?.keys[0];
  return failures.every(({ keys, sentence }) => keys.length === 1 && keys[0] === key && sentence === undefined);
}

/** Those that take this kind at all; an empty map or array is tried as the other when nobody wants it as it is. */
function candidatesFor(value: unknown, options: readonly Compiled[]): readonly Compiled[] {
  const bits = kindOf(value);
  const candidates = options.filter((option) => (option.kinds & bits) !== 0);
  if (candidates.length > 0) return candidates;
  if (isEmptyMap(value)) return options.filter((option) => (option.kinds & KIND.array) !== 0);
  if (Array.isArray(value) && value.length === 0) return options.filter((option) => (option.kinds & KIND.map) !== 0);
  return candidates;
}

/** Maps go to the option whose keys fit best, so that its error is the one to report. */
function ordered(candidates: readonly Compiled[], value: unknown): readonly Compiled[] {
  if (candidates.length < 2 || !isMap(value)) return candidates;
  const scored = candidates.map((option) => ({ option, score: option.affinity?.(value) ?? 0 }));
  return scored.sort((a, b) => b.score - a.score).map(({ option }) => option);
}

/** Both must take the value; the keys of two maps are joined. */
export function compileIntersection(left: Compiled, right: Compiled): Compiled {
  const check: Check = (value) => {
    choose();
    const first = left.check(value);
    if (first instanceof Failure) return first;
    const second = right.check(value);
    if (second instanceof Failure) return second;
    return isMap(first) && isMap(second) ? (first === second ? first : { ...first, ...second }) : second;
  };
  return { kinds: left.kinds & right.kinds, wanted: left.wanted, check };
}

/** A schema that refers to itself: compiled at its first use. */
export function compileLater(resolve: () => Compiled, kinds: number): Compiled {
  let resolved: Compiled | undefined;
  const check: Check = (value) => {
    choose();
    resolved ??= resolve();
    return resolved.check(value);
  };
  return { kinds, wanted: 'a value', check };
}
