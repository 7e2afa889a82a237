import { ScriptError } from '../errors.ts';
import type { Context, Grants } from './context.ts';
import { wildcards } from './wildcards.ts';

/** What a run can be granted beyond folders, hosts, tenants and models. */
export const CAPABILITIES = {
  'state:admin': 'backup, restore, migrate and clear State',
  net: 'make network requests to the allowed hosts',
  process: 'start allow-listed programs',
  environment: 'read allow-listed environment variables',
  email: 'send e-mail by the configured server',
} as const;

export type Capability = keyof typeof CAPABILITIES;

const FLAGS = { read: 'read', write: 'write', net: 'net', tenants: 'tenant', programs: 'program', environment: 'env' } as const satisfies Partial<
  Record<keyof Grants, string>
>;

/** What would allow it, for the end of a refusal: the grant that a host gives, and the flag of the command line. */
export function allowedBy(grant: keyof typeof FLAGS, value: string): string {
  return `grants.${grant} or --allow-${FLAGS[grant]} ${value}`;
}

/** Throws NOT_ALLOWED unless the run has the capability. */
export function requireCapability(context: Context, needs: Capability): void {
  if (!context.run.grants.capabilities.has(needs))
    throw new ScriptError('NOT_ALLOWED', `${context.method}: needs the grant ${needs} (to ${CAPABILITIES[needs]})`, { method: context.method });
}

/** True when a name matches one of the patterns, where `*` stands for any characters. */
export function matchesAny(patterns: Grants['models'], name: string): boolean {
  return patterns.some((pattern) => pattern === '*' || pattern === name || wildcards(pattern)(name));
}
