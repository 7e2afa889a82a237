import { requireCapability } from '../call/capability.ts';
import { type Context, hostService, type Run, runService } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { loadInTurns } from '../call/load.ts';
import { telling } from '../call/refused.ts';
import { cancelled } from '../call/run.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { ScriptError, translated } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { nearest } from '../nearest.ts';
import { BUILTIN_TOOLS, type BuiltinTool } from './builtin/index.ts';
import { rank, rankSoon } from './rank.ts';
import { checkToolName, type Tool, type ToolOrigin, toolName } from './tool.ts';

/** How deep agents, tools and workflows may nest. */
export const MAX_DEPTH = 16;

/** Tools that a script may have registered at a time. */
const MOST_OWN = 1_000;
/** Longer names are nobody's slip of the pen. */
const LONGEST_SLIP = 100;
/** So many names are compared with those that there are not: at a time, and in the whole of a run. */
const MOST_COMPARED = 300;
const MOST_COMPARED_EVER = 2_000;

/** What is known of a tool without loading it. */
export type ToolInfo = { name: string; description: string; category: string; tags: string[]; version: string; source: ToolOrigin };

export interface ToolFilter {
  readonly category?: string | undefined;
  readonly tag?: string | undefined;
  readonly query?: string | undefined;
}

/** A further source of tools beside the host's own, whose names have a dot, `source.tool`, and so never meet another's. */
export interface ToolSource {
  /** Whether names that begin so are this source's, whether or not there is such a tool. */
  owns(prefix: string): boolean;
  /** The tools that the run may use, known without waiting. */
  infos(run: Run): ToolInfo[];
  has(run: Run, name: string): boolean;
  /** Undefined when there is none. Throws NOT_ALLOWED when the run may not use it. */
  find(run: Run, name: string): Soon<Tool | undefined>;
}

/** The tools of the host: those that come with the runtime, loaded at first use, and those registered from TypeScript. */
export interface HostTools {
  /** Adds a tool for all runs. Throws BAD_ARGUMENT behind `place` when the name is taken or no snake_case. */
  add(tool: Tool, place: string): void;
  /** Adds a source of tools for all runs. */
  attach(source: ToolSource): void;
  readonly sources: readonly ToolSource[];
  infos(): ToolInfo[];
  find(name: string): Soon<Tool | undefined>;
  has(name: string): boolean;
}

export const hostTools = hostService<HostTools>('host tools', () => {
  const own = new Map<string, Tool>();
  const loaded = new Map<string, Tool>();
  const sources: ToolSource[] = [];
  const builtins = new Map<string, BuiltinTool>(BUILTIN_TOOLS.map((tool) => [tool.name, tool]));
  return {
    add(tool, place) {
      checkToolName(tool.name, `${place}: name`);
      if (own.has(tool.name) || builtins.has(tool.name)) throw new ScriptError('BAD_ARGUMENT', `${place}: there is a tool ${tool.name} already`);
      own.set(tool.name, tool);
    },
    attach: (source) => void sources.push(source),
    sources,
    infos: () => [
      ...[...own.values()].map(infoOf),
      ...[...builtins.values()].map(
        ({ name, description, category, tags = [] }): ToolInfo => ({ name, description, category, tags: [...tags], version: '1.0.0', source: 'builtin' }),
      ),
    ],
    has: (name) => own.has(name) || builtins.has(name),
    find(name) {
      const known = own.get(name) ?? loaded.get(name);
      const builtin = known ? undefined : builtins.get(name);
      if (!builtin) return known;
      return loadInTurns(builtin.load).then((tool) => {
        loaded.set(name, tool);
        return tool;
      });
    },
  };
});

/** The tools of a run: the host's and the script's own. */
export interface Tools {
  get(name: string): Soon<Tool | undefined>;
  has(name: string): boolean;
  list(): ToolInfo[];
  /** That there is no tool of this name, with the nearest that there is, in words. */
  unknown(name: string): string;
  /** By category and tag; a query ranks by relevance. */
  discover(filter: ToolFilter): Soon<ToolInfo[]>;
  /** Adds a tool of the script. Throws BAD_ARGUMENT when the name is taken, and LIMIT_EXCEEDED when it has too many. */
  register(tool: Tool): void;
  remove(name: string): boolean;
  /** Checks the arguments and runs the tool inside its hooks. Throws NOT_FOUND, BAD_ARGUMENT, NOT_ALLOWED, TIMEOUT, DEPTH_EXCEEDED or what the tool throws. */
  execute(context: Context, tool: string | Tool, input: Value): Soon<Value>;
}

export const tools = runService<Tools>('tools', createTools);

function createTools(run: Run): Tools {
  const host = run.host.get(hostTools);
  const own = new Map<string, Tool>();
  let compared = 0;
  const list = () => [...host.infos(), ...host.sources.flatMap((source) => source.infos(run)), ...[...own.values()].map(infoOf)];

  function sourceOf(name: string): ToolSource | undefined {
    const dot = name.indexOf('.');
    return dot < 1 ? undefined : host.sources.find((source) => source.owns(toolName(name.slice(0, dot))));
  }

  function find(name: string): Soon<Tool | undefined> {
    const source = sourceOf(name);
    return source ? source.find(run, name) : (own.get(toolName(name)) ?? host.find(toolName(name)));
  }

  function unknown(name: string): string {
    const near = name.length <= LONGEST_SLIP && compared < MOST_COMPARED_EVER ? similar(toolName(name)) : undefined;
    return `there is no tool ${quoted(name)}${near ? `; the nearest is ${near}` : ''} (Tool.list() names all)`;
  }

  function similar(name: string): string | undefined {
    const all = list().slice(0, MOST_COMPARED);
    compared += all.length;
    const words = name.split('_');
    const alike = (one: ToolInfo) => one.name.split(/[._]/).some((word) => words.includes(word));
    return (
      nearest(
        name,
        all.map((one) => one.name),
      ) ?? rank(all, name).find(alike)?.name
    );
  }

  function execute(context: Context, tool: string | Tool, input: Value): Soon<Value> {
    if (typeof tool !== 'string') return runTool(context, tool, input);
    return whenReady(find(tool), (found) => {
      if (found) return runTool(context, found, input);
      throw new ScriptError('NOT_FOUND', `${context.method}: ${unknown(tool)}`);
    });
  }

  return {
    get: find,
    has: (name) => sourceOf(name)?.has(run, name) ?? (own.has(toolName(name)) || host.has(toolName(name))),
    list,
    unknown,
    discover({ category, tag, query }) {
      const found = list().filter((info) => (category ?? info.category) === info.category && (tag === undefined || info.tags.includes(tag)));
      return query === undefined ? found : rankSoon(run.cpu, found, query);
    },
    register(tool) {
      checkToolName(tool.name, 'Tool.register: name');
      if (host.has(tool.name)) throw new ScriptError('BAD_ARGUMENT', `Tool.register: name: ${tool.name} is a tool of the host`);
      if (own.has(tool.name)) throw new ScriptError('BAD_ARGUMENT', `Tool.register: name: there is a tool ${tool.name} already`);
      if (own.size >= MOST_OWN) throw new ScriptError('LIMIT_EXCEEDED', `Tool.register: more than ${MOST_OWN} tools of one script`);
      own.set(tool.name, tool);
    },
    remove(name) {
      if (host.has(toolName(name))) throw new ScriptError('NOT_ALLOWED', `Tool.remove: ${name} is a tool of the host`);
      return own.delete(toolName(name));
    },
    execute: (context, tool, input) => telling(context, () => execute(context, tool, input)),
  };
}

/** Lets hooks look at the arguments before they are checked, then runs the tool. */
function runTool(context: Context, tool: Tool, given: Value): Soon<Value> {
  checkDepth(context, tool.name);
  const { name } = tool;
  const inside = context.with({ depth: context.depth + 1, method: name });
  if (tool.needs !== undefined) requireCapability(inside, tool.needs);
  return whenReady(context.run.get(hooks).consult(inside, { kind: 'tool', name, moment: 'validation', input: given }), (input) =>
    runChecked(context, inside, tool, tool.check(input, context) as Value),
  );
}

function checkDepth(context: Context, name: string): void {
  if (context.depth >= MAX_DEPTH)
    throw new ScriptError('DEPTH_EXCEEDED', `${context.method}: agents, tools and workflows nest more than ${MAX_DEPTH} deep (at tool ${name})`);
}

function runChecked(context: Context, inside: Context, tool: Tool, input: Value): Soon<Value> {
  const { run } = context;
  const { name } = tool;
  const started = performance.now();
  const bus = run.get(events);
  const watched = {
    kind: 'tool',
    name,
    before: 'before_execution',
    after: 'after_execution',
    error: 'error',
    input,
    checkInput: (changed: Value) => tool.check(changed, context) as Value,
    checkOutput: (changed: Value) => tool.checkOutput?.(changed, context) ?? changed,
  };
  const work = () => run.get(hooks).around<Value, Value>(inside, watched, (checked, deeper) => bounded(tool, checked, deeper));
  const completed = (output: Value) => whenReady(bus.announce(inside, `tool.${name}.completed`, { name, duration_ms: elapsedMs(started) }), () => output);
  const failed = (error: unknown): Soon<never> => {
    if (context.signal.aborted) throw error;
    return whenReady(announceFailure(inside, 'tool', name, error), () => {
      throw error;
    });
  };
  return whenReady(bus.announce(inside, `tool.${name}.started`, { name }), () => {
    let output: Soon<Value>;
    try {
      output = work();
    } catch (error) {
      return failed(error);
    }
    return output instanceof Promise ? output.then(completed, failed) : completed(output);
  });
}

/** Runs the tool; one that takes longer than its time gets its signal and TIMEOUT is thrown. */
function bounded(tool: Tool, input: unknown, context: Context): Soon<Value> {
  const abort = new LazyAbort(context);
  let output: Soon<Value>;
  try {
    output = tool.execute(input, context.with({ signal: abort })) ?? null;
  } catch (error) {
    throw toolFailure(tool, error);
  }
  if (!(output instanceof Promise)) return output;
  return new Promise<Value>((resolve, reject) => {
    const late = () => {
      const error = new ScriptError('TIMEOUT', `${tool.name}: took longer than ${tool.timeoutMs} ms`, { details: { outcome: 'unknown', retryable: true } });
      abort.fire(error);
      reject(error);
    };
    const timer = setTimeout(late, tool.timeoutMs);
    const onAbort = () => reject(cancelled(context.signal));
    context.signal.addEventListener('abort', onAbort, { once: true });
    output
      .then(
        (value) => resolve(value ?? null),
        (error) => reject(toolFailure(tool, error)),
      )
      .finally(() => {
        clearTimeout(timer);
        context.signal.removeEventListener('abort', onAbort);
      });
  });
}

/** A signal for one execution, made when the tool asks for it. */
class LazyAbort {
  readonly #outer: Context;
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #fired: ScriptError | undefined;

  constructor(outer: Context) {
    this.#outer = outer;
  }

  get signal(): AbortSignal {
    if (!this.#signal) {
      this.#controller = new AbortController();
      if (this.#fired) this.#controller.abort(this.#fired);
      this.#signal = AbortSignal.any([this.#outer.signal, this.#controller.signal]);
    }
    return this.#signal;
  }

  fire(error: ScriptError): void {
    this.#fired = error;
    this.#controller?.abort(error);
  }
}

/** What a tool throws that is no ScriptError is its own failure, told in one sentence. */
function toolFailure(tool: Tool, error: unknown): ScriptError {
  const details = { outcome: 'failed', retryable: false };
  return translated(error, (text, cause) => new ScriptError('TOOL_FAILED', `${tool.name}: ${text}`, { cause, details }));
}

function quoted(name: string): string {
  return name.length <= LONGEST_SLIP ? `"${name}"` : `"${name.slice(0, LONGEST_SLIP)}…"`;
}

function infoOf({ name, description, category, tags, version, source }: Tool): ToolInfo {
  return { name, description, category, tags: [...tags], version, source };
}
