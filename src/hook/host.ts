import { type Host, hostService } from '../call/context.ts';
import { checkFields, checkValue, fn, oneOf, type Rule, timeout } from '../call/rules.ts';
import { type BuiltinHook, builtinHooks } from './builtin/index.ts';
import { createHook, type Hook, type HookFunction, type HookOptions, PRIORITIES } from './hook.ts';
import { checkPoint } from './points.ts';

/** Hooks of the host: written in TypeScript, or built in and switched on by the configuration. Runs list them but cannot change them. */
export interface HostHooks {
  /** Registers a hook for all runs until the returned function is called. Throws BAD_ARGUMENT behind `place` when no point matches or the options are wrong. */
  register(point: string, call: HookFunction, options?: HookOptions, place?: string): () => void;
  readonly all: readonly Hook[];
  /** Changes with every registration, so that runs know when to look again. */
  readonly version: number;
}

const OPTIONS: { readonly [Name in keyof Required<HookOptions>]: Rule } = {
  priority: oneOf(...PRIORITIES),
  on_error: oneOf('continue', 'fail'),
  timeout_ms: timeout,
};

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
    register(point, call, options, place = 'hook') {
      checkPoint(point, `${place}: `);
      checkValue(`${place}: call`, call, fn);
      if (options !== undefined) checkFields(`${place}: options`, options, OPTIONS);
      registered++;
      const hook = createHook({ id: `host_${registered}`, point, source: 'host', language: 'host', order: registered, call }, options);
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
