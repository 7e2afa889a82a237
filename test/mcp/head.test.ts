import { describe, expect, it } from 'vitest';
import { toJsonSchema } from '../../src/call/json-schema/write.ts';
import { readHead } from '../../src/mcp/serve/head.ts';

const LUA = `#!/usr/bin/env llmspell
-- @tool count_words: Counts the words of a text.
--   Numbers count too.
-- @param text string The text
-- @param kinds? string[] Which kinds
-- @param mode "fast"|"exact" How
--
-- This is for people only.
-- @result words integer How many
---@diagnostic disable
local x = 1
-- @param late string Not at the head
`;
const BLOCK = `/**
 * @tool count_words: Counts the words of a text.
 *   Numbers count too.
 * @param text string The text
 * @param kinds? string[] Which kinds
 * @param mode "fast"|"exact" How
 *
 * This is for people only.
 * @result words integer How many
 */
// @author nobody
const x = 1
// @param late string Not at the head
`;
const LINES = BLOCK.replace(/^\/\*\*\n/, '')
  .replace(/^ \*\/\n/m, '')
  .replaceAll(/^ \*/gm, '//');

describe('the head of a script', () => {
  it.each([
    ['lua', LUA],
    ['javascript', BLOCK],
    ['javascript', LINES],
  ] as const)('is read alike in %s', (language, text) => {
    const head = readHead(text, language, 'count');
    expect(head).toMatchObject({ name: 'count_words', description: 'Counts the words of a text.\nNumbers count too.' });
    expect(toJsonSchema(head.input)).toEqual({
      type: 'object',
      properties: {
        text: { type: 'string', description: 'The text' },
        kinds: { type: 'array', items: { type: 'string' }, description: 'Which kinds' },
        mode: { type: 'string', enum: ['fast', 'exact'], description: 'How' },
      },
      required: ['text', 'mode'],
      additionalProperties: false,
    });
    expect(head.output && toJsonSchema(head.output)).toMatchObject({
      properties: { words: { type: 'integer', description: 'How many' } },
      required: ['words'],
    });
  });

  it.each([
    ['no tool', '-- nothing', 'x: expected a comment at its head with @tool NAME: description'],
    ['a tool behind the head', 'local a\n-- @tool a: b', 'x: expected a comment at its head with @tool NAME: description'],
    ['no description', '-- @tool a', 'x:1: @tool: expected NAME: description, the name in snake_case, got "a"'],
    ['a bad name', '-- @tool A-b: c', 'x:1: @tool: expected NAME: description, the name in snake_case, got "A-b: c"'],
    ['two tools', '-- @tool a: b\n-- @tool c: d', 'x:2: @tool: a script is one tool; there is a @tool above already'],
    [
      'an unknown type',
      '-- @tool a: b\n-- @param n float N',
      'x:2: @param: n: expected one of string, number, integer, boolean, object, array, any, one of these with [], or "one"|"another", got float',
    ],
    ['a parameter twice', '-- @tool a: b\n-- @param n any N\n-- @param n any N', 'x:3: @param: there is a n above already'],
    ['a parameter without type', '-- @tool a: b\n-- @param n', 'x:2: @param: expected NAME TYPE description, got "n"'],
    ['a misspelt tag', '-- @tool a: b\n-- @parm n any N', 'x:2: @parm: did you mean @param?'],
    ['a type that is a name of JavaScript', '-- @tool a: b\n-- @param n constructor N', /got constructor$/],
  ])('is refused with %s', (_, text, message) => {
    expect(() => readHead(text, 'lua', 'x')).toThrow(message);
  });
});
