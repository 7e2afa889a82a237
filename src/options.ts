import { describe } from './call/check/failure.ts';
import { nearest } from './call/check/nearest.ts';
import { encode } from './call/codec.ts';
import type { Grants, Limits } from './call/context.ts';
import type { Value } from './call/value.ts';
import { ScriptError } from './errors.ts';
import type { ExecuteOptions, RuntimeOptions } from './runtime.ts';
import { isSessionId } from './session/refusal.ts';
import { StateManager } from './state/manager.ts';
import { isTenant, TENANT_WANTED } from './store/folders.ts';

interface Rule {
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
}

const text: Rule = { wanted: 'a string', fits: (value) => typeof value === 'string' };
const texts: Rule = { wanted: 'an array of strings', fits: (value) => Array.isArray(value) && value.every(text.fits) };
const fn: Rule = { wanted: 'a function', fits: (value) => typeof value === 'function' };
const map: Rule = { wanted: 'an object', fits: (value) => typeof value === 'object' && value !== null };
const amount: Rule = { wanted: 'a number of at least 0', fits: (value) => typeof value === 'number' && value >= 0 };
const id = (fits: (id: string) => boolean): Rule => ({ wanted: TENANT_WANTED, fits: (value) => typeof value === 'string' && fits(value) });

const OPTIONS: { readonly [Name in keyof Required<ExecuteOptions>]: Rule } = {
  language: { wanted: '"lua" or "javascript"', fits: (value) => value === 'lua' || value === 'javascript' },
  name: text,
  path: text,
  args: texts,
  input: { wanted: 'data', fits: () => true },
  tenant: id(isTenant),
  session: id(isSessionId),
  grants: map,
  limits: map,
  seed: { wanted: 'an integer', fits: Number.isInteger },
  clock: fn,
  signal: { wanted: 'an AbortSignal', fits: (value) => value instanceof AbortSignal },
  on_output: fn,
  on_start: fn,
};

const GRANTS: { readonly [Name in keyof Grants]: Rule } = {
  capabilities: { wanted: 'a Set', fits: (value) => value instanceof Set },
  read: texts,
  write: texts,
  net: texts,
  tenants: texts,
  models: texts,
  programs: texts,
  environment: texts,
  mcp: texts,
};

const list: Rule = { wanted: 'an array', fits: Array.isArray };
const flag: Rule = { wanted: 'true or false', fits: (value) => typeof value === 'boolean' };

const RUNTIME: { readonly [Name in keyof Required<RuntimeOptions>]: Rule } = {
  config: map,
  dataDir: text,
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
  check('ScriptRuntime.create', options, RUNTIME);
}

/** Throws BAD_ARGUMENT that names the option when the options of a run are not what they should be. */
export function checkOptions(method: string, options: ExecuteOptions, limits: Limits): void {
  check(method, options, OPTIONS);
  if (options.grants) check(`${method}: grants`, options.grants, GRANTS);
  if (options.limits) check(`${method}: limits`, options.limits, Object.fromEntries(Object.keys(limits).map((name) => [name, amount])));
  if (options.input !== undefined) encode(options.input satisfies Value, `${method}: input`);
}

function check(place: string, given: object, rules: Readonly<Record<string, Rule>>): void {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) {
      const near = nearest(name, Object.keys(rules));
      throw new ScriptError(
        'BAD_ARGUMENT',
        `${place}: unknown option "${name}"${near ? `; did you mean "${near}"?` : `; known are ${Object.keys(rules).join(', ')}`}`,
      );
    }
    if (value !== undefined && !rule.fits(value))
      throw new ScriptError(
        'BAD_ARGUMENT',
        `${place}: ${name}: expected ${rule.wanted}, got ${typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : describe(value)}`,
      );
  }
}
