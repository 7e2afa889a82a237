import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { testHost } from '../support/run.ts';
import { foreignInFiles, operate } from '../support/tenants.ts';

it('64 tenants make 1,000 operations each of State, sessions, artifacts and knowledge and never see or hold anything of each other', async () => {
  const tenants = Array.from({ length: 64 }, (_, at) => `t${at}`);
  const host = testHost();
  const seen = await Promise.all(tenants.map((tenant, at) => operate(host, tenant, 1_000, at)));
  expect(seen.flat()).toEqual([]);
  expect(foreignInFiles(host.dataDir, tenants)).toEqual([]);
  await host[Symbol.asyncDispose]();
  rmSync(host.dataDir, { recursive: true, force: true });
});
