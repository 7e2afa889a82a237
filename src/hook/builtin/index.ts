import type { Host } from '../../call/context.ts';
import type { HookFunction, HookOptions } from '../hook.ts';

/** A hook that comes with the runtime, at one point. */
export interface BuiltinHook {
  readonly name: string;
  readonly point: string;
  readonly call: HookFunction;
  readonly options?: HookOptions;
}

/** The built-in hooks that the configuration switches on, in the order in which they run. */
export function builtinHooks(host: Host): BuiltinHook[] {
  return host.config ? [] : [];
}
