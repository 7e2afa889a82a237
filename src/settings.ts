import type { Value } from './call/value.ts';
import type { Config } from './config.ts';

/** Names of settings whose value is a secret. */
const SECRET = /^(?:api_key|token|secret|password|authorization|webhook|args|headers)$/i;
const ADDRESS = /^(?:url|base_url)$/;

/** The setting at a dotted path as scripts may see it, undefined when there is none; secrets read as `***`. */
export function readConfig(config: Config, path?: string): Value | undefined {
  let value: unknown = config;
  const keys = path?.split('.') ?? [];
  for (const key of keys) {
    if (SECRET.test(key)) return '***';
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return masked(value, keys.at(-1)) as Value | undefined;
}

/** What stands under a key as it may be seen. */
function masked(value: unknown, under = ''): unknown {
  if (SECRET.test(under)) return '***';
  if (ADDRESS.test(under) && typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map((item) => masked(item));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, masked(item, key)]));
}

/** Keys of services are often part of their address: before its host, and in its query. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/?#]*@/, '//***@').replace(/\?.*$/s, '?***');
}
