import { spendReading } from '../check/effort.ts';
import { describeContent } from '../check/failure.ts';
import { joinWords } from '../check/kind.ts';
import { lengthFits } from '../check/scalar.ts';
import { plural } from '../check/words.ts';
import { Float } from '../value.ts';
import { FORMATS } from './formats.ts';
import { count, type Keyword, list, number } from './keyword.ts';
import { MISFIT, misfit, otherKind, type Rule } from './part.ts';
import { asType, identityOf, numeric, TYPES } from './values.ts';

/** So many values of an enumeration are told. */
const MOST_WORDS = 20;
/** A list of them is told by its items where it has no more. */
const MOST_ITEMS = 5;

/** Type, enumerations, numbers and strings. */
export const SCALARS: Readonly<Record<string, Keyword>> = {
  type(given, at) {
    const types = new Set(typeof given === 'string' ? [given] : (list(given, at) as string[]));
    if (types.size === 0 || [...types].some((type) => typeof type !== 'string' || !Object.hasOwn(TYPES, type)))
      throw at.refuse(joinWords(Object.keys(TYPES).map((type) => `"${type}"`)));
    const wanted = joinWords([...types].map((type) => TYPES[type] as string));
    return (value, visit) => {
      const fitting = asType(value, types, visit.lenient);
      return fitting === MISFIT ? otherKind(visit, wanted, value) : fitting;
    };
  },
  const: (given) => oneOf([given]),
  enum(given, at) {
    const values = list(given, at);
    at.document.addValues(values.length);
    return oneOf(values);
  },
  minimum: (given, at) => bound(number(given, at), (value, limit) => value >= limit, 'of at least'),
  maximum: (given, at) => bound(number(given, at), (value, limit) => value <= limit, 'of at most'),
  exclusiveMinimum: (given, at) => bound(number(given, at), (value, limit) => value > limit, 'of more than'),
  exclusiveMaximum: (given, at) => bound(number(given, at), (value, limit) => value < limit, 'of less than'),
  multipleOf(given, at) {
    const step = number(given, at);
    if (step <= 0) throw at.refuse('a number above 0');
    return (value, visit) => {
      const amount = numeric(value);
      return amount === undefined || isMultiple(amount, step) ? value : misfit(visit, `a multiple of ${step}`, value);
    };
  },
  minLength(given, at) {
    const least = count(given, at);
    return length(least, Number.POSITIVE_INFINITY, `at least ${plural(least, 'character')}`);
  },
  maxLength(given, at) {
    const most = count(given, at);
    return length(0, most, `at most ${plural(most, 'character')}`);
  },
  pattern(given, at) {
    if (typeof given !== 'string') throw at.refuse('a pattern');
    const matches = at.document.pattern(given, at.schema, 'pattern');
    return (value, visit) => (typeof value !== 'string' || matches(value) ? value : misfit(visit, `a string that matches /${given}/`, value));
  },
  format(given, at) {
    if (typeof given !== 'string') throw at.refuse('a string');
    // Others are remarks for the reader.
    const format = Object.hasOwn(FORMATS, given) ? FORMATS[given] : undefined;
    return format && ((value, visit) => (typeof value !== 'string' || format.fits(value) ? value : misfit(visit, format.wanted, value)));
  },
};

/** What a schema wants, as far as its type or its values say so. */
export function wantedBy({ type, enum: values, const: only }: Readonly<Record<string, unknown>>): string {
  if (only !== undefined) return contentWords(only);
  if (Array.isArray(values)) return valueWords(values);
  const types = (Array.isArray(type) ? type : [type]).map((one) => (typeof one === 'string' ? TYPES[one] : undefined)).filter((words) => words !== undefined);
  return types.length > 0 ? joinWords(types) : 'a value';
}

function valueWords(values: readonly unknown[]): string {
  const words = values.slice(0, MOST_WORDS).map(contentWords);
  if (values.length > MOST_WORDS) words.push(`${values.length - MOST_WORDS} others`);
  return words.length > 2 ? `one of ${joinWords(words)}` : joinWords(words);
}

/** A value as it is written, where that is short. */
function contentWords(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value) && value.length <= MOST_ITEMS && value.every(isScalar)) return `[${value.map(contentWords).join(', ')}]`;
  return isScalar(value) ? describeContent(value) : describeContent(value).replace(/^an? /, 'a certain ');
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof Float;
}

function oneOf(values: readonly unknown[]): Rule {
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const others = new Set(values.filter((value) => typeof value !== 'string').map(identityOf));
  let wanted: string | undefined;
  return (value, visit) => {
    const fits = typeof value === 'string' ? texts.has(value) : others.has(identityOf(value));
    if (fits) return value;
    wanted ??= valueWords(values);
    return misfit(visit, wanted, value);
  };
}

function bound(limit: number | bigint, fits: (value: number | bigint, limit: number | bigint) => boolean, words: string): Rule {
  return (value, visit) => {
    const amount = numeric(value);
    return amount === undefined || fits(amount, limit) ? value : misfit(visit, `a number ${words} ${limit}`, value);
  };
}

function length(min: number, max: number, words: string): Rule {
  return (value, visit) => {
    if (typeof value !== 'string') return value;
    spendReading(value);
    return lengthFits(value, min, max) ? value : misfit(visit, `a string of ${words}`, value);
  };
}

function isMultiple(value: number | bigint, step: number | bigint): boolean {
  if (Number.isInteger(Number(value)) && Number.isInteger(Number(step))) return BigInt(value) % BigInt(step) === 0n;
  // The remainder of doubles is exact.
  if (Number(value) % Number(step) === 0) return true;
  const times = Number(value) / Number(step);
  // What is off by less than doubles can tell is a multiple: 0.0075 / 0.0001 is 75.00000000000001.
  return Number.isFinite(times) && Math.abs(times - Math.round(times)) <= 2 * Number.EPSILON * Math.abs(times);
}
