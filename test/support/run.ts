import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Capability } from '../../src/call/capability.ts';
import { CAPABILITIES } from '../../src/call/capability.ts';
import type { Context, Grants, Limits } from '../../src/call/context.ts';
import { CallContext, HostContainer, RunContainer } from '../../src/call/run.ts';
import type { Value } from '../../src/call/value.ts';
import { type ConfigInput, parseConfig } from '../../src/config/config.ts';

/** A host over a new temporary data folder. */
export function testHost(config: ConfigInput = {}): HostContainer {
  return new HostContainer(parseConfig(config), mkdtempSync(join(tmpdir(), 'llmspell-')));
}

export const ALL_GRANTS: Grants = {
  capabilities: new Set(Object.keys(CAPABILITIES) as Capability[]),
  read: [],
  write: [],
  net: [],
  tenants: [],
  models: ['local/*', 'mock/*'],
  programs: [],
  environment: [],
  mcp: ['*'],
};

export interface TestRun {
  readonly host: HostContainer;
  readonly run: RunContainer;
  readonly context: Context;
  readonly output: string[];
}

/** A run without an engine, for testing services by themselves. */
export function testRun(
  options: {
    host?: HostContainer;
    grants?: Partial<Grants>;
    limits?: Partial<Limits>;
    tenant?: string;
    input?: Value;
    seed?: number;
    language?: 'lua' | 'javascript';
  } = {},
): TestRun {
  const host = options.host ?? testHost();
  const output: string[] = [];
  const run = new RunContainer({
    host,
    language: options.language ?? 'lua',
    tenant: options.tenant ?? 'default',
    grants: { ...ALL_GRANTS, ...options.grants },
    limits: { ...host.config.limits, ...options.limits },
    args: [],
    input: options.input ?? null,
    seed: options.seed ?? 1,
    onOutput: (line) => output.push(line),
  });
  return { host, run, context: new CallContext(run, { method: 'test' }), output };
}
