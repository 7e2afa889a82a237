import type { GlobalDefinition, Method } from '../../src/call/define.ts';

const UNTOUCHED = new Set(['sleep', 'parallel']);

/** The same globals, but each answer comes a turn of the event loop later, so that every call waits. */
export function delayed(globals: readonly GlobalDefinition[]): readonly GlobalDefinition[] {
  const each = <T extends object>(methods: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
    Object.fromEntries(Object.entries(methods).map(([name, one]) => [name, later(one)]));
  return globals.map((global) => ({
    ...global,
    methods: each(global.methods),
    ...(global.callable && !UNTOUCHED.has(global.name) && { callable: later(global.callable) }),
    ...(global.handles && { handles: global.handles.map((handle) => ({ ...handle, methods: each(handle.methods) })) }),
  }));
}

function later<T extends object>(definition: T): T {
  const { handler } = definition as unknown as Method;
  return {
    ...definition,
    async handler(...args: Parameters<typeof handler>) {
      const result = await handler(...args);
      await new Promise((resolve) => setImmediate(resolve));
      return result;
    },
  };
}
