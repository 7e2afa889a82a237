import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import { countRequestSoon, countTokens } from '../../src/model/tokens.ts';
import { anyCharacter } from '../support/text.ts';
import { turnsDuring } from '../support/turns.ts';

const request = (content: string) => ({ messages: [{ role: 'user' as const, content }], tools: [] });

describe('the count of tokens', () => {
  it('is by pieces of six letters or digits, and other signs one by one', () => {
    const unit = fc.oneof(anyCharacter, fc.constantFrom('a', ' ', '\n', '😀', '𝒜', '\ud800', '\udc00', '.', 'é', '\u0301'));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 60 }), (units) => {
        const text = units.join('');
        let count = 0;
        for (const [piece] of text.matchAll(/[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu)) count += Math.ceil(piece.length / 6);
        expect(countTokens(text)).toBe(count);
      }),
      { numRuns: 500 },
    );
  });

  it('of a large request leaves others their turns and is the same', async () => {
    const large = request('some words, 😀 '.repeat(400_000));
    const { result, turns } = await turnsDuring(() => countRequestSoon(new Cpu(), large));
    expect(result).toBe(countTokens('some words, 😀 ') * 400_000 + 4);
    expect(turns).toBeGreaterThan(2);
  });

  it('of a small request is there at once', () => {
    expect(countRequestSoon(new Cpu(), request('hello, world'))).toBe(7);
  });
});
