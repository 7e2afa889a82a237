import { describe, expect, it } from 'vitest';
import { grownBy } from '../support/torture/flat.ts';
import { garbage } from '../support/torture/garbage.ts';
import { interleave } from '../support/torture/interleave.ts';
import { kills } from '../support/torture/kill.ts';
import { roundTrips } from '../support/torture/values.ts';

describe.each(['lua', 'javascript'] as const)('%s', (language) => {
  it('interleaves fibers as if they ran one after the other', async () => {
    expect(await interleave(language, 1_000, Date.now())).toEqual([]);
  });

  it('dies 300 times with 31 open fibers, and a neighbour never notices', async () => {
    const { codes, neighbour, grownMb } = await kills(language, 300);
    expect(codes).toEqual(['LIMIT_EXCEEDED']);
    expect(neighbour).toBe(600);
    expect(grownMb).toBeLessThan(60);
  });

  it('stays flat over 2,000 kills', async () => {
    expect(await grownBy(language, 1_000)).toBeLessThan(15);
  });

  it('gives random values back as they were', async () => {
    await roundTrips(language, 20_000, (got, wanted) => expect(got).toEqual(wanted));
  });

  it('survives random garbage', async () => {
    expect(await garbage(language, 20_000, Date.now())).toEqual([]);
  });
});
