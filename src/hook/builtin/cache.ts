import { matchesAny } from '../../call/capability.ts';
import { encode } from '../../call/codec.ts';
import { type Context, type Host, hostService } from '../../call/context.ts';
import { createHash } from '../../call/digest.ts';
import { whenReady } from '../../call/soon.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { usageOf } from '../../model/model.ts';
import { tools } from '../../tool/registry.ts';
import type { BuiltinHook } from './builtin.ts';
import { settingsOf } from './settings.ts';
import { tell } from './tell.ts';

interface Kept {
  readonly value: Value;
  readonly bytes: number;
  readonly until: number;
}

/** Answers by the hash of what was asked, least recently used first; bounded in number, size and age. */
export class AnswerCache {
  readonly #entries = new Map<string, Kept>();
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #ttlMs: number;
  #bytes = 0;

  constructor(most: number, mostBytes: number, ttlMs: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
    this.#ttlMs = ttlMs;
  }

  get(key: string, now: number): Value | undefined {
    const found = this.#entries.get(key);
    if (!found) return undefined;
    this.#remove(key);
    if (found.until <= now) return undefined;
    this.#add(key, found);
    return found.value;
  }

  put(key: string, value: Value, now: number): void {
    const bytes = encode(value).length + key.length;
    this.#remove(key);
    if (bytes > this.#mostBytes) return;
    this.#add(key, { value, bytes, until: now + this.#ttlMs });
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#most && this.#bytes <= this.#mostBytes) break;
      this.#remove(oldest);
    }
  }

  #add(key: string, kept: Kept): void {
    this.#entries.set(key, kept);
    this.#bytes += kept.bytes;
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** Each tenant has a cache of its own. */
const caches = hostService('answer caches', () => new Map<string, AnswerCache>());

/** `[hooks.cache]`: answers of models, and results of pure tools and of those that are named, from what was asked before. */
export function cacheHooks(host: Host): BuiltinHook[] {
  const settings = settingsOf(host.config, 'cache');
  if (!settings) return [];
  // What was asked and not found, until its answer comes; it goes with its run.
  const asked = new WeakMap<object, Map<string, string>>();

  function cacheOf({ run }: Context): AnswerCache {
    const all = host.get(caches);
    const known = all.get(run.tenant);
    if (known) return known;
    const made = new AnswerCache(settings?.max_entries ?? 0, (settings?.max_mb ?? 0) * 2 ** 20, settings?.ttl_ms ?? 0);
    all.set(run.tenant, made);
    return made;
  }

  function lookUp(ctx: ValueMap, context: Context, kind: string, name: string, question: Value): ValueMap | undefined {
    const key = hash(question);
    if (key === undefined) return undefined;
    const output = cacheOf(context).get(key, context.run.now());
    tell(context, output === undefined ? 'cache.miss' : 'cache.hit', { kind, name });
    if (output !== undefined) return { skip: true, output };
    const waiting = asked.get(context.run) ?? new Map<string, string>();
    asked.set(context.run, waiting);
    waiting.set(String(ctx.id), key);
    return undefined;
  }

  function keep(ctx: ValueMap, context: Context, answer: Value): void {
    const waiting = asked.get(context.run);
    const key = waiting?.get(String(ctx.id));
    if (key === undefined) return;
    waiting?.delete(String(ctx.id));
    try {
      cacheOf(context).put(key, answer, context.run.now());
    } catch {
      // Handles and functions cannot be kept.
    }
  }

  return [
    {
      name: 'cache',
      point: 'agent:before_model_call',
      call(ctx, context) {
        const model = String(ctx.model);
        if (matchesAny(settings.models, model)) return lookUp(ctx, context, 'model', model, ['model', ctx.input ?? null]);
      },
    },
    {
      name: 'cache',
      point: 'agent:after_model_call',
      call: (ctx, context) => keep(ctx, context, { ...(ctx.output as ValueMap), usage: { ...usageOf(0, 0) }, cached: true }),
    },
    {
      name: 'cache',
      point: 'tool:*:before_execution',
      call: (ctx, context) => {
        const name = String(ctx.tool_name);
        // The tool may have come with the call, not by its name: then nothing is known of it.
        return whenReady(context.run.get(tools).get(name), (tool) => {
          if (!tool || tool.source === 'script' || !(tool.effect === 'pure' || settings.tools.includes(name))) return;
          return lookUp(ctx, context, 'tool', name, ['tool', name, permissions(context), ctx.input ?? null]);
        });
      },
    },
    { name: 'cache', point: 'tool:*:after_execution', call: (ctx, context) => keep(ctx, context, ctx.output ?? null) },
  ];
}

/** What a run may do is part of the question: an answer must not reach a run that could not have got it itself. */
function permissions({ run: { grants } }: Context): Value {
  return Object.values(grants).map((granted: Iterable<string>) => [...granted].sort());
}

/** Undefined for what has no stored form. */
function hash(question: Value): string | undefined {
  try {
    return createHash('sha256').update(encode(question)).digest('base64');
  } catch {
    return undefined;
  }
}
