import { RE2JS } from 're2js';
import { ScriptError } from '../../errors.ts';

export interface RegexInput {
  readonly operation: 'test' | 'match' | 'replace' | 'split';
  readonly pattern: string;
  readonly text: string;
  readonly replacement: string;
  readonly ignore_case: boolean;
  readonly multiline: boolean;
  readonly limit?: number | undefined;
  /** For trying at once what may turn out to be long: then `undefined` is the answer. */
  readonly brief?: boolean;
}

export interface RegexResult {
  matched: boolean;
  matches?: { match: string; start: number; stop: number; groups: (string | null)[]; named: Record<string, string> }[];
  text?: string;
  parts?: string[];
}

const MOST_TEXT = 5_000_000;
/** Matches and parts where no limit is given. */
const USUAL_LIMIT = 1_000;
/** Groups of all matches together. */
const MOST_GROUPS = 100_000;
/** What a brief try may come to: of each search the characters that are left, times those of the pattern. */
const BRIEF = 30_000;

/** Matches, replaces or splits. Throws BAD_ARGUMENT for a pattern that is none, LIMIT_EXCEEDED for a text that becomes too long or too many groups. */
export function run(input: RegexInput): RegexResult | undefined {
  const { text, limit = USUAL_LIMIT } = input;
  const compiled = compile(input.pattern, (input.ignore_case ? RE2JS.CASE_INSENSITIVE : 0) | (input.multiline ? RE2JS.MULTILINE : 0));
  const isOver = briefly(input);
  if (input.operation === 'match') return collect(compiled, text, limit, isOver);
  if (input.operation === 'test') return { matched: compiled.matcher(text).find() };
  if (input.operation === 'split') return split(compiled, text, limit, isOver);
  return replaced(compiled, text, input.replacement, input.limit, isOver);
}

type IsOver = (from: number) => boolean;

/** Asked before each further search, from where it will begin: one is linear, but each of many may go through all that is left. */
function briefly({ brief, text, pattern }: RegexInput): IsOver {
  let left = brief ? BRIEF : Number.POSITIVE_INFINITY;
  return (from) => {
    left -= (text.length - from + 1) * pattern.length;
    return left < 0;
  };
}

/** The text cut at its matches; one of nothing at its beginning cuts nothing off. */
function split(compiled: RE2JS, text: string, limit: number, isOver: IsOver): RegexResult | undefined {
  const matcher = compiled.matcher(text);
  const parts: string[] = [];
  let matched = false;
  let from = 0;
  while (matcher.find()) {
    matched = true;
    if (isOver(matcher.end())) return undefined;
    if (matcher.end() === 0) continue;
    if (parts.length === limit - 1) break;
    parts.push(text.slice(from, matcher.start()));
    from = matcher.end();
  }
  parts.push(text.slice(from));
  return { matched, parts };
}

/** The text with its first `limit` matches replaced, or all. */
function replaced(compiled: RE2JS, text: string, replacement: string, limit = Number.POSITIVE_INFINITY, isOver: IsOver): RegexResult | undefined {
  const matcher = compiled.matcher(text);
  let result = '';
  let count = 0;
  for (; count < limit && matcher.find(); count++) {
    if (isOver(matcher.end())) return undefined;
    // biome-ignore lint/complexity/useLiteralKeys: the library's types call it private; its own `replaceAll` is this loop without an end.
    const part: string = matcher['appendReplacement'](replacement);
    result += part;
    if (result.length > MOST_TEXT) break;
  }
  result += matcher.appendTail();
  if (result.length > MOST_TEXT) throw new ScriptError('LIMIT_EXCEEDED', `regex: the text would have more than ${MOST_TEXT} characters`);
  return { matched: count > 0, text: result };
}

/** A pattern ready to match. Throws BAD_ARGUMENT when it is none. */
export function compile(pattern: string, flags = 0): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    throw new ScriptError('BAD_ARGUMENT', `regex: pattern: ${error instanceof Error ? error.message : 'it cannot be read'}`, { cause: error });
  }
}

function collect(compiled: RE2JS, text: string, limit: number, isOver: IsOver): RegexResult | undefined {
  const matcher = compiled.matcher(text);
  const names = Object.keys(compiled.namedGroups() as Record<string, number>);
  const matches: NonNullable<RegexResult['matches']> = [];
  while (matches.length < limit && matcher.find()) {
    if (isOver(matcher.end())) return undefined;
    if ((matches.length + 1) * matcher.groupCount() > MOST_GROUPS)
      throw new ScriptError('LIMIT_EXCEEDED', `regex: more than ${MOST_GROUPS} groups in all matches; (?:…) keeps none, and limit takes fewer matches`);
    const groups = Array.from({ length: matcher.groupCount() }, (_, at) => matcher.group(at + 1) ?? null);
    const named = Object.fromEntries(names.flatMap((name) => (matcher.group(name) == null ? [] : [[name, matcher.group(name) as string]])));
    matches.push({ match: matcher.group() ?? '', start: matcher.start(), stop: matcher.end(), groups, named });
  }
  return { matched: matches.length > 0, matches };
}
