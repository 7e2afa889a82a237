import { type Context, runService } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { valueText } from '../model/model.ts';

/** How a child sees its parent's data: as it is now and changes, not at all, or as it was when the child was made. */
export type Inheritance = 'inherit' | 'isolate' | 'copy';

interface SharedContext {
  readonly id: string;
  readonly name: string | undefined;
  readonly parent: SharedContext | undefined;
  data: ValueMap;
}

/** The shared contexts and memory of a run's agents. */
export interface AgentContexts {
  create(name: string | undefined, data: ValueMap): string;
  /** These three throw NOT_FOUND when there is no such context. */
  createChild(context: Context, parent: string, mode: Inheritance, data: ValueMap): string;
  update(context: Context, id: string, data: ValueMap): void;
  data(context: Context, id: string): ValueMap;
  has(id: string): boolean;
  remove(id: string): boolean;
  /** Puts a value where all of the run can recall it. */
  remember(context: Context, scope: string, key: string, value: Value): void;
  recall(scope: string, key: string): Value;
}

export const agentContexts = runService<AgentContexts>('agent contexts', () => {
  const contexts = new Map<string, SharedContext>();
  const memory = new Map<string, Map<string, { readonly value: Value }>>();
  let made = 0;
  const find = ({ method }: Context, id: string): SharedContext => {
    const found = contexts.get(id);
    if (!found) throw new ScriptError('NOT_FOUND', `${method}: id: there is no context ${JSON.stringify(id.slice(0, 60))}`);
    return found;
  };
  const visible = ({ parent, data }: SharedContext): ValueMap => ({ ...(parent && visible(parent)), ...data });
  const add = (name: string | undefined, parent: SharedContext | undefined, data: ValueMap): string => {
    const id = `ctx_${++made}`;
    contexts.set(id, { id, name, parent, data });
    return id;
  };
  return {
    create: (name, data) => add(name, undefined, { ...data }),
    createChild(context, parent, mode, data) {
      const from = find(context, parent);
      if (mode === 'inherit') return add(undefined, from, { ...data });
      return add(undefined, undefined, mode === 'copy' ? { ...visible(from), ...data } : { ...data });
    },
    update(context, id, data) {
      const found = find(context, id);
      found.data = { ...found.data, ...data };
      context.run.kept.add(context.method, found.data, found.data);
    },
    data: (context, id) => visible(find(context, id)),
    has: (id) => contexts.has(id),
    remove: (id) => contexts.delete(id),
    remember(context, scope, key, value) {
      const kept = { value };
      context.run.kept.add(context.method, kept, value);
      memory.set(scope, (memory.get(scope) ?? new Map()).set(key, kept));
    },
    recall: (scope, key) => memory.get(scope)?.get(key)?.value ?? null,
  };
});

/** What is put before a prompt: a context's data line by line, or the given text or data. */
export function contextText(context: Context, material: Value): string {
  const shared = context.run.get(agentContexts);
  if (typeof material === 'string' && shared.has(material)) return lines(shared.data(context, material));
  return valueText(material);
}

function lines(data: ValueMap): string {
  return Object.entries(data)
    .map(([key, value]) => `${key}: ${valueText(value)}`)
    .join('\n');
}
