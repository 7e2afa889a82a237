import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testHost, testRun } from '../support/run.ts';
import { foreignInFiles, operate } from '../support/tenants.ts';

const TENANTS = Array.from({ length: 64 }, (_, at) => `t${at}`);
const OPERATIONS = 30;

describe('64 tenants at once', () => {
  it('never see or hold anything of each other', { timeout: 120_000 }, async () => {
    const host = testHost();
    const seen = await Promise.all(TENANTS.map((tenant, at) => operate(host, tenant, OPERATIONS, at)));
    expect(seen.flat()).toEqual([]);
    expect(foreignInFiles(host.dataDir, TENANTS)).toEqual([]);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('are noticed by this test where one is taken for another', { timeout: 120_000 }, async () => {
    const host = testHost();
    const confused = testRun({ host, tenant: 't1' }).context;
    const seen = await Promise.all([operate(host, 't0', 600, 1, confused), operate(host, 't1', 200, 2)]);
    expect(seen.flat().length).toBeGreaterThan(0);
    expect(foreignInFiles(host.dataDir, ['t0', 't1']).length).toBeGreaterThan(0);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });
});
