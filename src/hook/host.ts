import { type Host, hostService } from '../call/context.ts';
import { type BuiltinHook, builtinHooks } from './builtin/index.ts';
import { createHook, type Hook, type HookFunction, type HookOptions } from './hook.ts';
import { checkPoint } from './points.ts';

/** Hooks of the host: written in TypeScript, or built in and switched on by the configuration. Runs list them but cannot change them. */
export interface HostHooks {
  /** Registers a hook for all runs until the returned function is called. Throws BAD_ARGUMENT when no point matches. */
  register(point: string, fn: HookFunction, options?: HookOptions): () => void;
  readonly all: readonly Hook[];
  /** Changes with every registration, so that runs know when to look again. */
  readonly version: number;
}

function createHostHooks(host: Host): HostHooks {
  const numbers = new Map<string, number>();
  const next = (name: string) => {
    numbers.set(name, (numbers.get(name) ?? 0) + 1);
    return numbers.get(name);
  };
  const all: Hook[] = builtinHooks(host).map((hook: BuiltinHook, at) =>
    createHook(
      { id: `builtin_${hook.name}_${next(hook.name)}`, point: hook.point, source: 'builtin', language: 'host', order: at, call: hook.call },
      hook.options,
    ),
  );
  let version = 0;
  let registered = 0;
  return {
    all,
    get version() {
      return version;
    },
    register(point, fn, options) {
      checkPoint(point);
      registered++;
      const hook = createHook({ id: `host_${registered}`, point, source: 'host', language: 'host', order: registered, call: fn }, options);
      all.push(hook);
      version++;
      return () => {
        const at = all.indexOf(hook);
        if (at < 0) return;
        all.splice(at, 1);
        version++;
      };
    },
  };
}

export const hostHooks = hostService<HostHooks>('host hooks', createHostHooks);
