import type { HookFunction, HookOptions } from '../hook.ts';

/** A hook that comes with the runtime, at one point. */
export interface BuiltinHook {
  readonly name: string;
  readonly point: string;
  readonly call: HookFunction;
  readonly options?: HookOptions;
}
