import { expect, it } from 'vitest';
import type { Value } from '../../src/call/value.ts';
import { ownTool } from '../../src/tool/script.ts';
import { testRun } from '../support/run.ts';

const define = (name: string, parameters: Record<string, Value>) => ({ name, description: 'd', parameters, handler: () => null });

it('the run is charged with what the schema of a tool becomes, however short it is', () => {
  const { context } = testRun({ limits: { memory_mb: 1 } });
  const kept: unknown[] = [];
  const register = (at: number) => kept.push(ownTool(define(`t${at}`, { properties: { a: { pattern: 'x{1000}'.repeat(3) } } }), 'here: ', context));
  expect(() => {
    for (let at = 0; at < 20; at++) register(at);
  }).toThrow('what the run keeps beside its script comes to more than 4 times limits.memory_mb = 1 MB');
  expect(kept.length).toBeGreaterThan(5);
});

it.each([
  ['BAD_ARGUMENT', 'here: parameters.allOf[0].required: expected an array, got "a"', { allOf: [{ required: 'a' }] }],
  ['BAD_ARGUMENT', 'here: parameters.type: expected "object", got "objct"', { type: 'objct' }],
  ['LIMIT_EXCEEDED', 'here: parameters: more than 2000 schemas in one JSON Schema', { anyOf: Array.from({ length: 2_000 }, () => true) }],
])('a schema that is none is %s: %s', (code, message, parameters) => {
  const { context } = testRun({ language: 'javascript' });
  expect(() => ownTool(define('t', parameters), 'here: ', context)).toThrow(expect.objectContaining({ code, message }));
});
