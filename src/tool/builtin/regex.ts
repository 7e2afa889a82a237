import { RE2JS } from 're2js';
import { z } from 'zod';
import { ScriptError } from '../../errors.ts';
import { defineTool } from '../tool.ts';

/** Regular expressions of RE2: no backtracking, so no pattern takes more than linear time. */
export const regex = defineTool(
  {
    name: 'regex',
    description: 'Matches, replaces and splits by a regular expression, in linear time',
    category: 'text',
    effect: 'pure',
    tags: ['pattern', 'search'],
    input: z.strictObject({
      operation: z.enum(['test', 'match', 'replace', 'split']).default('match'),
      pattern: z.string().min(1).max(1_000).describe('RE2 syntax; no back-references or look-around'),
      text: z.string().max(1_000_000),
      replacement: z.string().default('').describe('$1 and ${name} stand for groups'),
      ignore_case: z.boolean().default(false),
      multiline: z.boolean().default(false),
      limit: z.int().min(1).max(10_000).default(1_000),
    }),
    output: z.object({
      matched: z.boolean(),
      matches: z
        .array(z.object({ match: z.string(), start: z.int(), stop: z.int(), groups: z.array(z.string().nullable()), named: z.record(z.string(), z.string()) }))
        .optional(),
      text: z.string().optional(),
      parts: z.array(z.string()).optional(),
    }),
    examples: [
      {
        lua: `print(Tool.execute("regex", {pattern = "(\\\\w+)@(\\\\w+)", text = "mail ada@example"}).matches[1].groups)`,
        javascript: `print(Tool.execute("regex", {pattern: "(\\\\w+)@(\\\\w+)", text: "mail ada@example"}).matches[0].groups)`,
      },
    ],
    execute(input) {
      const compiled = compile(input.pattern, (input.ignore_case ? RE2JS.CASE_INSENSITIVE : 0) | (input.multiline ? RE2JS.MULTILINE : 0));
      if (input.operation === 'test') return { matched: compiled.matcher(input.text).find() };
      if (input.operation === 'replace')
        return { matched: compiled.matcher(input.text).find(), text: compiled.matcher(input.text).replaceAll(input.replacement) };
      if (input.operation === 'split') return { matched: compiled.matcher(input.text).find(), parts: compiled.split(input.text, input.limit) };
      return collect(compiled, input.text, input.limit);
    },
  },
  'builtin',
);

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
