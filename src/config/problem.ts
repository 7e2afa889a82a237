import type { z } from 'zod';
import { nearest } from '../nearest.ts';

/** Kinds of TOML values in words. */
const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table',
  record: 'a table',
  null: 'null',
};

/** What is wrong with a configuration in one sentence, key first. */
export function configProblem({ issues: [issue] }: z.ZodError, schema: z.core.$ZodType): string {
  if (!issue) return 'it is wrong';
  if (issue.code === 'unrecognized_keys') return `unknown setting ${issue.keys.map((name) => withMeant(name, issue.path, schema)).join(', ')}`;
  const place = issue.path.join('.');
  return `${place === '' ? '' : `${place}: `}${sentence(issue)}`;
}

function withMeant(name: string, path: readonly PropertyKey[], schema: z.core.$ZodType): string {
  const meant = nearest(name, settingsAt(schema, path));
  return `${[...path, name].join('.')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

/** The settings that a section may have. */
function settingsAt(schema: z.core.$ZodType, [key, ...rest]: readonly PropertyKey[]): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ('innerType' in def) return settingsAt(def.innerType, key === undefined ? [] : [key, ...rest]);
  if (key === undefined) return def.type === 'object' ? Object.keys(def.shape) : [];
  const inner = def.type === 'object' ? def.shape[String(key)] : def.type === 'record' ? def.valueType : def.type === 'array' ? def.element : undefined;
  return inner === undefined ? [] : settingsAt(inner, rest);
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  const wanted = wantedBy(issue);
  return wanted === undefined ? issue.message : `expected ${wanted}, got ${found(issue.input)}`;
}

/** What was wanted; undefined where the message says it. */
function wantedBy(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return KINDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive === false ? 'above' : 'of at least', 'a text that is not empty', 'a list that is not empty');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive === false ? 'below' : 'of at most', 'a shorter text', 'a shorter list');
    case 'invalid_format':
      return issue.format === 'url' ? 'an address such as https://api.example.org' : undefined;
    default:
      return undefined;
  }
}

function bound(origin: string, limit: number | bigint, relation: string, text: string, list: string): string {
  if (origin === 'string') return text;
  return origin === 'array' ? list : `a number ${relation} ${limit}`;
}

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return typeof value === 'object' && value !== null ? 'a table' : String(value);
}
