import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { argumentChecker, toJsonArguments } from '../../src/mcp/client/arguments.ts';
import { changesOf, digestOf, readOffers } from '../../src/mcp/client/offer.ts';
import { mcpRuntime, refusal } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const ODD = join(import.meta.dirname, 'servers/odd.mjs');
const odd = (mode: string, more: object = {}) => ({ command: process.execPath, args: [ODD, mode], ...more });
const hello = { name: 'hello', description: 'Greets', schema: { type: 'object' } };

describe.concurrent('a program', () => {
  it.each(['old', 'greets'])('of the older protocol is understood: %s', async (mode) => {
    await using test = await mcpRuntime({ odd: odd(mode) });
    await test.approve('odd');
    expect(await test.call('lua', 'odd.hello')).toEqual({ text: 'hello' });
  });

  it.each([
    ['cannot be started', { command: 'llmspell-no-such-program' }, 'MCP server odd: cannot be started: there is no such program'],
    ['ends at once', odd('ends'), 'MCP server odd: ended with status 1'],
    ['says nothing', odd('silent', { start_timeout_ms: 300 }), 'MCP server odd: did not answer within 300 ms of its start (start_timeout_ms)'],
    ['only chatters', odd('chatter'), 'MCP server odd: writes text to its standard output that is no MCP'],
    ['sends one endless line', odd('line'), 'MCP server odd: sent a message of more than 10 MB'],
  ])('that %s is told in one sentence', async (_, settings, message) => {
    await using test = await mcpRuntime({ odd: settings });
    test.pins.approve('odd', [hello]);
    for (const language of ['lua', 'javascript'] as const)
      expect(await refusal(test.call(language, 'odd.hello'))).toMatchObject({
        code: 'TOOL_FAILED',
        message,
        details: { outcome: 'not_sent', retryable: true },
      });
  });

  it('that answers wrongly is told in one sentence', async () => {
    await using test = await mcpRuntime({ wrong: odd('wrong'), refuses: odd('refuses') });
    test.pins.approve('wrong', [hello]);
    test.pins.approve('refuses', [hello]);
    expect(await refusal(test.call('lua', 'wrong.hello'))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'MCP server wrong: answered with something that is no valid MCP',
    });
    expect(await refusal(test.call('javascript', 'refuses.hello'))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'MCP server refuses: refused the request: bad arguments',
      details: { outcome: 'failed', retryable: false, mcp_code: -32602 },
    });
  });

  it('that cannot be started again and again is left alone for a while', async () => {
    await using test = await mcpRuntime({ odd: odd('ends') });
    test.pins.approve('odd', [hello]);
    for (let n = 0; n < 3; n++) await refusal(test.call('lua', 'odd.hello'));
    expect(await refusal(test.call('lua', 'odd.hello'))).toMatchObject({
      message: 'MCP server odd: could not be started 3 times in a row and is left alone for 5000 ms',
      details: { outcome: 'not_sent', retryable: true },
    });
  });
});

describe.concurrent('offers', () => {
  const listed = (name: string, more: object = {}) => ({ name, description: 'd', inputSchema: { type: 'object' as const }, ...more });

  it('that cannot be used are told with why', () => {
    let deep: object = {};
    for (let n = 0; n < 10_000; n++) deep = { not: deep };
    const { tools, unusable } = readOffers([
      listed('fine-Name.v2'),
      listed('two words'),
      listed('fine-Name.v2'),
      listed('long', { description: 'x'.repeat(20_000) }),
      listed('deep', { inputSchema: deep }),
      listed('wide', { inputSchema: { type: 'object', enum: ['x'.repeat(70_000)] } }),
    ]);
    expect([...tools.keys()]).toEqual(['fine-Name.v2']);
    expect(unusable.map(({ reason }) => reason)).toEqual([
      'its name has other characters than A-Z a-z 0-9 _ . -, or more than 128',
      'the server offers two of this name',
      'its description has more than 16384 characters',
      'its schema is nested more than 32 deep',
      'its schema has more than 65536 characters',
    ]);
  });

  it('have a digest of name, description and schema, in which the order of keys does not count', () => {
    const one = { name: 'a', description: 'b', schema: { type: 'object', properties: { x: { type: 'string' }, y: { type: 'string' } } } };
    const turned = { ...one, schema: { properties: { y: { type: 'string' }, x: { type: 'string' } }, type: 'object' } };
    expect(digestOf(turned)).toBe(digestOf(one));
    expect(changesOf(one, turned)).toEqual([]);
    for (const other of [
      { ...one, name: 'A' },
      { ...one, description: 'b ' },
      { ...one, schema: { type: 'object', properties: { x: { type: 'string' } } } },
    ])
      expect(digestOf(other)).not.toBe(digestOf(one));
    expect(changesOf(one, { ...one, description: 'c', schema: {} })).toEqual(['description', 'schema']);
  });
});

describe.concurrent('arguments', () => {
  it('are matched against patterns of a server in linear time, or left to it where RE2 does not know them', () => {
    const given = { s: `${'a'.repeat(40)}!` };
    const checker = (pattern: string) => argumentChecker({ type: 'object', properties: { s: { type: 'string', pattern } } });
    expect(() => checker('^(a+)+$')(given, 'x')).toThrow('x.s: expected a string that matches');
    expect(checker('^(?=b)')(given, 'x')).toEqual(given);
    const plain = { type: 'object', properties: { pattern: { type: 'number' } } };
    expect(() => argumentChecker(plain)({ pattern: 'x' }, 'x')).toThrow('expected a number');
  });

  it('are sent as JSON', () => {
    expect(toJsonArguments('t', { a: new Uint8Array([1, 2]), b: [1, null, { c: true }] })).toEqual({ a: 'AQI=', b: [1, null, { c: true }] });
    expect(() => toJsonArguments('t', { a: [Number.NaN] })).toThrow('t: a[0]: MCP cannot carry a number that is not finite');
    expect(() => toJsonArguments('t', { a: () => null })).toThrow('t: a: MCP cannot carry a function');
  });
});
