import { isAbsolute } from 'node:path';
import { CAPABILITIES, type Capability } from '../call/capability.ts';
import type { Grants, Language, Limits } from '../call/context.ts';
import { checkCrosses } from '../call/crossing.ts';
import type { GlobalDefinition } from '../call/define.ts';
import { checkFields, checkValue, each, flag, fn, isPath, list, map, oneOf, path, type Rule, required, text, texts } from '../call/rules.ts';
import type { Value } from '../call/value.ts';
import { type ConfigInput, LEAST_MEMORY_MB, MOST_MEMORY_MB } from '../config/config.ts';
import { GRANT_NAMES, MODEL_NAME, type NameRule } from '../config/names.ts';
import { ScriptError } from '../errors.ts';
import type { HookFunction, HookOptions } from '../hook/hooks.ts';
import type { EmbeddingModel } from '../model/embedding.ts';
import type { MockSource } from '../model/mock.ts';
import type { LanguageModel } from '../model/model.ts';
import { isSessionId } from '../session/refusal.ts';
import { StateManager } from '../state/manager.ts';
import { isTenant, TENANT_WANTED } from '../store/folders.ts';
import type { Tool } from '../tool/tool.ts';

export interface RuntimeOptions {
  /** As in `llmspell.toml`; everything has a default. */
  readonly config?: ConfigInput | undefined;
  /** The data folder, instead of `data.dir`. */
  readonly dataDir?: string | undefined;
  /** State that is shared with the host and other runtimes (`createStateManager`); the caller closes it. */
  readonly state?: StateManager | undefined;
  /** Tools of your own (`defineTool`), beside the built-in ones. */
  readonly tools?: readonly Tool[] | undefined;
  /** Models of your own by `provider/model`, or scripted answers for one. */
  readonly models?: Readonly<Record<string, LanguageModel | MockSource>> | undefined;
  /** Embedding models of your own by `provider/model`. */
  readonly embeddings?: Readonly<Record<string, EmbeddingModel>> | undefined;
  /** Hooks of your own, in place before `system:startup` fires. */
  readonly hooks?: readonly { readonly point: string; readonly call: HookFunction; readonly options?: HookOptions }[] | undefined;
  /** Globals of your own, beside the built-in ones. */
  readonly globals?: readonly GlobalDefinition[] | undefined;
  /** False leaves the built-in globals out, so that `globals` are all there are. */
  readonly builtins?: boolean | undefined;
  /** Checks the results of the built-in globals too, as the tests do; those of your own are always checked. */
  readonly checkResults?: boolean | undefined;
}

export interface ExecuteOptions {
  /** `js` is JavaScript too; Lua if not given. */
  readonly language?: Language | 'js';
  /** As in error messages; `main.lua` or `main.js` if not given. */
  readonly name?: string;
  /** Absolute path of the script's file, if it is one: where `require` and `import` look. */
  readonly path?: string | undefined;
  readonly args?: readonly string[];
  readonly input?: Value;
  readonly tenant?: string;
  /** The session that `Session.current_id()` gives, made at first use if there is none of this id; a new one of its own if not given. */
  readonly session?: string | undefined;
  readonly grants?: GivenGrants;
  readonly limits?: Partial<Limits>;
  /** Any integer; the same seed gives the same random numbers. */
  readonly seed?: number;
  /** The run's clock, ms since 1970. */
  readonly clock?: () => number;
  /** Aborting cancels the run; a reason that is a ScriptError is what it ends with. */
  readonly signal?: AbortSignal | undefined;
  readonly on_output?: (line: string) => void;
  /** Told of the run before its script begins: its id, and how to send events into it. */
  readonly on_start?: (run: RunHandle) => void;
}

/** Grants of a run; what is not given is not granted. */
export type GivenGrants = Partial<Omit<Grants, 'capabilities'>> & { readonly capabilities?: readonly Capability[] | ReadonlySet<Capability> };

/** A run as its host sees it while it goes on. */
export interface RunHandle {
  readonly id: string;
  /** Emits an event in the run, with `host` as its source; false when the run takes no more. Throws BAD_ARGUMENT for a bad type, or a payload that is no data. */
  emit(eventType: string, payload?: Value, correlationId?: string): Promise<boolean>;
}

const amount: Rule = { wanted: 'a number of at least 0', fits: (value) => typeof value === 'number' && value >= 0 };
const memory: Rule = {
  wanted: `a number of ${LEAST_MEMORY_MB} to ${MOST_MEMORY_MB}`,
  fits: (value) => typeof value === 'number' && value >= LEAST_MEMORY_MB && value <= MOST_MEMORY_MB,
};
const id = (fits: (id: string) => boolean): Rule => ({ wanted: TENANT_WANTED, fits: (value) => typeof value === 'string' && fits(value) });
const granted = ({ wanted, fits }: NameRule): Rule => each(wanted, fits);
const folders = each('a folder', isPath);

/** The languages as options name them. */
const LANGUAGES: Readonly<Record<NonNullable<ExecuteOptions['language']>, Language>> = { lua: 'lua', javascript: 'javascript', js: 'javascript' };

const SESSION_OPTIONS = {
  language: oneOf(...Object.keys(LANGUAGES)),
  args: texts,
  input: { wanted: 'data', fits: () => true },
  tenant: id(isTenant),
  session: id(isSessionId),
  grants: map,
  limits: map,
  seed: { wanted: 'an integer', fits: Number.isInteger },
  clock: fn,
  on_output: fn,
  on_start: fn,
} as const satisfies Readonly<Record<string, Rule>>;

const OPTIONS: { readonly [Name in keyof Required<ExecuteOptions>]: Rule } = {
  ...SESSION_OPTIONS,
  name: text,
  path: { wanted: 'an absolute path', fits: (value) => path.fits(value) && isAbsolute(value as string) },
  signal: { wanted: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
};

const capabilities: Rule = {
  wanted: `an array or Set of ${Object.keys(CAPABILITIES).join(', ')}`,
  fits: (value) => (Array.isArray(value) || value instanceof Set) && [...value].every((one) => Object.hasOwn(CAPABILITIES, one)),
};

const GRANTS: { readonly [Name in keyof Grants]: Rule } = {
  capabilities,
  read: folders,
  write: folders,
  net: granted(GRANT_NAMES.net),
  tenants: each(`* or ${TENANT_WANTED}`, (tenant) => tenant === '*' || isTenant(tenant)),
  models: texts,
  programs: granted(GRANT_NAMES.programs),
  environment: granted(GRANT_NAMES.environment),
  mcp: texts,
};

const TOOL: Rule = { wanted: 'what defineTool gives', fits: (value) => hasMethod(value, 'check') && hasMethod(value, 'execute') };
const MODEL: Rule = { wanted: 'a model with a method generate, or an array or a function of scripted answers', fits: isModel };
const MODEL_KEY: Rule = { wanted: 'provider/model such as own/writer', fits: (value) => text.fits(value) && MODEL_NAME.fits(value as string) };
const EMBEDDING: Rule = { wanted: 'a model with a method embed', fits: (value) => hasMethod(value, 'embed') };
const HOOK: Readonly<Record<string, Rule>> = { point: required(text), call: required(fn), options: map };

const RUNTIME: { readonly [Name in keyof Required<RuntimeOptions>]: Rule } = {
  config: map,
  dataDir: path,
  state: { wanted: 'what createStateManager gives', fits: (value) => value instanceof StateManager },
  tools: list,
  models: map,
  embeddings: map,
  hooks: list,
  globals: list,
  builtins: flag,
  checkResults: flag,
};

/** Throws BAD_ARGUMENT that names the option when the options of a runtime are not what they should be. */
export function checkRuntimeOptions(options: RuntimeOptions): void {
  checkFields('ScriptRuntime.create', options, RUNTIME);
  for (const [at, tool] of (options.tools ?? []).entries()) checkValue(`ScriptRuntime.create: tools[${at}]`, tool, TOOL);
  for (const [name, model] of Object.entries(options.models ?? {})) checkModel('models', name, model, MODEL);
  for (const [name, model] of Object.entries(options.embeddings ?? {})) checkModel('embeddings', name, model, EMBEDDING);
  for (const [at, hook] of (options.hooks ?? []).entries()) checkFields(`ScriptRuntime.create: hooks[${at}]`, hook, HOOK);
  if (options.state?.closed) throw new ScriptError('BAD_ARGUMENT', 'ScriptRuntime.create: state: expected one that is open, got one that was disposed of');
}

function checkModel(option: 'models' | 'embeddings', name: string, model: unknown, rule: Rule): void {
  checkValue(`ScriptRuntime.create: ${option}: the name of one`, name, MODEL_KEY);
  checkValue(`ScriptRuntime.create: ${option}: ${name}`, model, rule);
}

/** Throws BAD_ARGUMENT that names the option when the options of a run, or of a session, are not what they should be. */
export function checkOptions(method: 'execute' | 'openSession', options: ExecuteOptions, limits: Limits): void {
  checkFields(method, options, method === 'execute' ? OPTIONS : SESSION_OPTIONS);
  if (options.grants) checkFields(`${method}: grants`, options.grants, GRANTS);
  if (options.limits) checkFields(`${method}: limits`, options.limits, limitRules(limits));
  checkCrosses(`${method}: input`, options.input);
  checkCrosses(`${method}: args`, options.args);
}

/** The language that the options name; Lua if they name none. */
export function languageOf({ language = 'lua' }: ExecuteOptions): Language {
  return LANGUAGES[language];
}

/** The defaults with what is given over them; what is given as undefined is not given. */
export function over<T extends object>(defaults: T, given: Partial<T> = {}): T {
  return { ...defaults, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function limitRules(limits: Limits): Readonly<Record<string, Rule>> {
  return Object.fromEntries(Object.keys(limits).map((name) => [name, name === 'memory_mb' ? memory : amount]));
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Readonly<Record<string, unknown>>)[name] === 'function';
}

function isModel(value: unknown): boolean {
  return typeof value === 'function' || hasMethod(value, 'generate') || (Array.isArray(value) && value.every((one) => text.fits(one) || map.fits(one)));
}
