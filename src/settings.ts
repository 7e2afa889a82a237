import type { Value } from './call/value.ts';
import type { Config } from './config/config.ts';

/** Names of settings whose value is a secret. */
const SECRET = /^(?:api_key|token|secret|password|authorization|webhook|args|headers)$/i;

/** Names of settings that are addresses: user, password and query of one are often secrets. */
const ADDRESS = /^(?:base_)?url$/;

/** No setting has a longer path, characters. */
const LONGEST_PATH = 10_000;

/** The setting at a dotted path as scripts may see it, undefined when there is none; secrets read as `***`. */
export function readConfig(config: Config, path?: string): Value | undefined {
  if (path !== undefined && path.length > LONGEST_PATH) return undefined;
  let value: unknown = config;
  let name = '';
  for (name of path?.split('.') ?? []) {
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    if (SECRET.test(name)) break;
  }
  return masked(name, value) as Value | undefined;
}

function masked(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRET.test(name)) return '***';
  if (typeof value === 'string') return ADDRESS.test(name) ? withoutSecrets(value) : value;
  if (Array.isArray(value)) return value.map((item) => masked('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, masked(key, item)]),
  );
}

function withoutSecrets(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1***@').replace(/\?.*$/s, '?***');
}
