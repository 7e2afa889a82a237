import type { Value } from './call/value.ts';
import type { Config } from './config.ts';

/** Names of settings whose value is a secret. */
const SECRET = /^(?:api_key|token|secret|password|authorization|webhook|args|headers)$/i;

/** The setting at a dotted path as scripts may see it, undefined when there is none; secrets read as `***`. */
export function readConfig(config: Config, path?: string): Value | undefined {
  let value: unknown = config;
  for (const key of path?.split('.') ?? []) {
    if (SECRET.test(key)) return '***';
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return masked(value) as Value | undefined;
}

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(
    entries.map(([key, item]) => [key, SECRET.test(key) ? '***' : key === 'url' && typeof item === 'string' ? withoutQuery(item) : masked(item)]),
  );
}

/** Keys of services are often part of their address. */
function withoutQuery(url: string): string {
  return url.replace(/\?.*$/s, '?***');
}
