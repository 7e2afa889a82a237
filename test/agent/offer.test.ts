import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { offerNames } from '../../src/agent/offer.ts';
import { defineTool, type Tool } from '../../src/tool/tool.ts';

const named = (name: string): Tool => ({
  ...defineTool({ name: 'x', description: 'd', category: 'c', input: z.strictObject({}), output: z.any(), execute: () => null }),
  name,
});

describe('tools are offered to a model', () => {
  it('under their own names, with __ for a dot', () => {
    expect([...offerNames([named('calculator'), named('github.create-issue')]).keys()]).toEqual(['calculator', 'github__create-issue']);
  });

  it('once, however often they are given', () => {
    const one = named('a');
    expect(offerNames([one, one]).size).toBe(1);
  });

  it('under names of at most 64 characters that differ and lead back', () => {
    const tools = [named(`s.${'x'.repeat(100)}a`), named(`s.${'x'.repeat(100)}b`), named('a.b'), named('a__b')];
    const offered = offerNames(tools);
    expect(offered.size).toBe(4);
    for (const name of offered.keys()) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect([...offered.values()]).toEqual(tools);
  });
});
