import { describe, expect, it } from 'vitest';
import { garbage } from '../support/torture/garbage.ts';
import { interleave } from '../support/torture/interleave.ts';
import { kills } from '../support/torture/kill.ts';
import { roundTrips } from '../support/torture/values.ts';

/** A small share of `npm run torture`. */
describe.each(['lua', 'javascript'] as const)('%s', (language) => {
  it('interleaves fibers as if they ran one after the other', { timeout: 60_000 }, async () => {
    expect(await interleave(language, 8)).toEqual([]);
  });

  it('dies with 31 open fibers, and a neighbour never notices', { timeout: 60_000 }, async () => {
    const { codes, neighbour } = await kills(language, 6);
    expect(codes).toEqual(['LIMIT_EXCEEDED']);
    expect(neighbour).toBe(12);
  });

  it('gives random values back as they were', { timeout: 60_000 }, async () => {
    await roundTrips(language, 100, (got, wanted) => expect(got).toEqual(wanted));
  });

  it('survives random garbage', { timeout: 60_000 }, async () => {
    expect(await garbage(language, 150)).toEqual([]);
  });
});
