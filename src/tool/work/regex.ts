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

/** Matches, replaces or splits. Throws BAD_ARGUMENT for a pattern that is none, LIMIT_EXCEEDED for a text that becomes too long. */
export function run(input: RegexInput): RegexResult {
  const compiled = compile(input.pattern, (input.ignore_case ? RE2JS.CASE_INSENSITIVE : 0) | (input.multiline ? RE2JS.MULTILINE : 0));
  const { limit } = input;
  if (input.operation === 'match') return collect(compiled, input.text, limit ?? USUAL_LIMIT);
  const matched = compiled.matcher(input.text).find();
  if (input.operation === 'test') return { matched };
  if (input.operation === 'split') return { matched, parts: compiled.split(input.text, limit ?? USUAL_LIMIT) };
  return { matched, text: replaced(compiled, input.text, input.replacement, limit) };
}

/** The text with its first `limit` matches replaced, or all. */
function replaced(compiled: RE2JS, text: string, replacement: string, limit = Number.POSITIVE_INFINITY): string {
  const matcher = compiled.matcher(text);
  let result = '';
  for (let count = 0; count < limit && matcher.find(); count++) {
    // biome-ignore lint/complexity/useLiteralKeys: the library's types call it private; its own `replaceAll` is this loop without an end.
    const part: string = matcher['appendReplacement'](replacement);
    result += part;
    if (result.length > MOST_TEXT) break;
  }
  result += matcher.appendTail();
  if (result.length > MOST_TEXT) throw new ScriptError('LIMIT_EXCEEDED', `regex: the text would have more than ${MOST_TEXT} characters`);
  return result;
}

/** A pattern ready to match. Throws BAD_ARGUMENT when it is none. */
export function compile(pattern: string, flags = 0): RE2JS {
  try {
    return RE2JS.compile(pattern, flags);
  } catch (error) {
    throw new ScriptError('BAD_ARGUMENT', `regex: pattern: ${error instanceof Error ? error.message : 'it cannot be read'}`, { cause: error });
  }
}

function collect(compiled: RE2JS, text: string, limit: number) {
  const matcher = compiled.matcher(text);
  const names = Object.keys(compiled.namedGroups() as Record<string, number>);
  const matches = [];
  while (matches.length < limit && matcher.find()) {
    const groups = Array.from({ length: matcher.groupCount() }, (_, at) => matcher.group(at + 1) ?? null);
    const named = Object.fromEntries(names.flatMap((name) => (matcher.group(name) == null ? [] : [[name, matcher.group(name) as string]])));
    matches.push({ match: matcher.group() ?? '', start: matcher.start(), stop: matcher.end(), groups, named });
  }
  return { matched: matches.length > 0, matches };
}
