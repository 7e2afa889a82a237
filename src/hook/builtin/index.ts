import type { Host } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import type { BuiltinHook } from './builtin.ts';
import { cacheHooks } from './cache.ts';
import { costHooks } from './cost.ts';
import { loggingHooks } from './logging.ts';
import { metricsHooks } from './metrics.ts';
import { rateLimitHooks } from './rate-limit.ts';
import { redactHooks } from './redact.ts';

export type { BuiltinHook } from './builtin.ts';

/** In the order in which they run: what goes to a model or into the cache is redacted first, and what is known is answered before anything is counted or paid. */
const BUILTIN: Readonly<Record<string, (host: Host) => BuiltinHook[]>> = {
  redact: redactHooks,
  cache: cacheHooks,
  rate_limit: rateLimitHooks,
  cost_tracking: costHooks,
  metrics: metricsHooks,
  logging: loggingHooks,
};

/** The built-in hooks that the configuration switches on, in order. Throws BAD_CONFIG for a point, rule or expression that is none. */
export function builtinHooks(host: Host): BuiltinHook[] {
  return Object.entries(BUILTIN).flatMap(([name, make]) => {
    try {
      return make(host);
    } catch (error) {
      throw new ScriptError('BAD_CONFIG', `hooks.${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}
