import type { Language } from '../../call/context.ts';
import { anyValue } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { z } from '../../zod.ts';

/** What a script says at its head about the tool that it is. */
export interface ScriptHead {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  /** Absent where the head declares no results: then anything may come. */
  readonly output: z.ZodObject | undefined;
}

interface Tag {
  readonly tag: string;
  text: string;
  readonly line: number;
}

const TAGS = ['tool', 'param', 'result'];
const TOOL = /^([a-z][a-z0-9_]{0,63})\s*:\s*(\S[\s\S]*)$/;
const FIELD = /^([A-Za-z_]\w*)(\?)?\s+(\S+)(?:\s+([\s\S]*))?$/;
const CHOICE = /^"[^"|]*"(?:\|"[^"|]*")*$/;
const TYPES: Readonly<Record<string, () => z.ZodType>> = {
  string: () => z.string(),
  number: () => z.number(),
  integer: () => z.int(),
  boolean: () => z.boolean(),
  object: () => z.record(z.string(), anyValue),
  array: () => z.array(anyValue),
  any: () => anyValue,
};

/**
 * Reads the comment at the head of a script: `@tool NAME: description`, `@param NAME TYPE description` (`NAME?` where it may be left out) and
 * `@result NAME TYPE description`, each of which may go on in the lines below it. Throws BAD_CONFIG that names file and line.
 */
export function readHead(text: string, language: Language, file: string): ScriptHead {
  const tags = tagsOf(headLines(text, language), file);
  const [tool, second] = tags.filter(({ tag }) => tag === 'tool');
  if (!tool) throw new ScriptError('BAD_CONFIG', `${file}: expected a comment at its head with @tool NAME: description`);
  if (second) throw wrong(file, second, 'a script is one tool; there is a @tool above already');
  const [, name, description] = TOOL.exec(tool.text) ?? [];
  if (name === undefined || description === undefined)
    throw wrong(file, tool, `expected NAME: description, the name in snake_case, got ${JSON.stringify(tool.text.slice(0, 60))}`);
  const results = tags.filter(({ tag }) => tag === 'result');
  return {
    name,
    description,
    input: z.strictObject(
      fieldsOf(
        tags.filter(({ tag }) => tag === 'param'),
        file,
      ),
    ),
    output: results.length === 0 ? undefined : z.looseObject(fieldsOf(results, file)),
  };
}

function fieldsOf(tags: readonly Tag[], file: string): Record<string, z.ZodType> {
  const fields: Record<string, z.ZodType> = {};
  for (const tag of tags) {
    const [, name, optional, type, description] = FIELD.exec(tag.text) ?? [];
    if (name === undefined || type === undefined) throw wrong(file, tag, `expected NAME TYPE description, got ${JSON.stringify(tag.text.slice(0, 60))}`);
    if (Object.hasOwn(fields, name)) throw wrong(file, tag, `there is a ${name} above already`);
    const schema = typeOf(type);
    if (!schema) throw wrong(file, tag, `${name}: expected one of ${Object.keys(TYPES).join(', ')}, one of these with [], or "one"|"another", got ${type}`);
    const described = description === undefined ? schema : schema.describe(description);
    fields[name] = optional ? described.optional() : described;
  }
  return fields;
}

function typeOf(type: string): z.ZodType | undefined {
  if (CHOICE.test(type)) return z.enum(type.split('|').map((choice) => choice.slice(1, -1)));
  if (!type.endsWith('[]')) return Object.hasOwn(TYPES, type) ? TYPES[type]?.() : undefined;
  const item = typeOf(type.slice(0, -2));
  return item && z.array(item);
}

function tagsOf(lines: readonly { text: string; line: number }[], file: string): Tag[] {
  const tags: Tag[] = [];
  let open: Tag | undefined;
  for (const { text, line } of lines) {
    const [, tag, rest = ''] = /^@(\w+)\s*(.*)$/.exec(text) ?? [];
    if (tag === undefined) {
      if (text === '') open = undefined;
      else if (open) open.text += `\n${text}`;
      continue;
    }
    open = { tag, text: rest, line };
    if (TAGS.includes(tag)) tags.push(open);
    else {
      const meant = nearest(tag, TAGS);
      if (meant !== undefined) throw wrong(file, open, `did you mean @${meant}?`);
    }
  }
  return tags;
}

/** The comment lines that a script begins with, without what makes them comments. */
function headLines(text: string, language: Language): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let inside = false;
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const add = (content: string) => found.push({ text: content.trim(), line: at + 1 });
    if (at === 0 && line.startsWith('#!')) continue;
    if (inside || (language === 'javascript' && line.startsWith('/*'))) {
      inside = !line.includes('*/');
      add(
        line
          .replace(/^\/\*+/, '')
          .replace(/(?<!\*)\*+\/.*$/, '')
          .replace(/^\*+ ?/, ''),
      );
    } else if (line === '') add('');
    else if (language === 'lua' ? line.startsWith('--') && !line.startsWith('--[') : line.startsWith('//')) add(line.replace(/^(?:-{2,}|\/{2,})/, ''));
    else break;
  }
  return found;
}

function wrong(file: string, { tag, line }: Tag, problem: string): ScriptError {
  return new ScriptError('BAD_CONFIG', `${file}:${line}: @${tag}: ${problem}`);
}
