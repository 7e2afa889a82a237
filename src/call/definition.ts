import { ScriptError } from '../errors.ts';
import { CAPABILITIES } from './capability.ts';
import type { Effect, GlobalDefinition, HandleDefinition, Method } from './define.ts';
import { checkFields, checkValue, fn, list, map, oneOf, type Rule, required, text } from './rules.ts';

/** A schema of the zod that is in use: those of version 3 have no `_zod`. */
export const schema: Rule = { wanted: 'a schema of zod 4', fits: isSchema };
export const capability: Rule = oneOf(...Object.keys(CAPABILITIES));

const NAME = /^[A-Za-z]\w*$/;
const name: Rule = { wanted: 'a name of letters, digits and _', fits: (value) => typeof value === 'string' && NAME.test(value) };
const capitalised: Rule = { wanted: 'a capitalised name of letters, digits and _', fits: (value) => name.fits(value) && /^[A-Z]/.test(value as string) };
const EFFECTS: readonly Effect[] = ['pure', 'read', 'write', 'external', 'wait'];

const METHOD: { readonly [Name in keyof Required<Method>]: Rule } = {
  doc: required(text),
  params: required({
    wanted: 'an object of zod schemas by name',
    fits: (value) => map.fits(value) && !isSchema(value) && Object.values(value as object).every(isSchema),
  }),
  result: required(schema),
  effect: required(oneOf(...EFFECTS)),
  needs: capability,
  examples: list,
  only_callbacks: { wanted: 'true or "when_idle"', fits: (value) => value === true || value === 'when_idle' },
  keeps: { wanted: 'true', fits: (value) => value === true },
  handler: required(fn),
};

const GLOBAL: { readonly [Name in keyof Required<GlobalDefinition>]: Rule } = {
  name: required(name),
  doc: required(text),
  methods: required({ ...map, wanted: 'an object of methods by name' }),
  handles: list,
  only: oneOf('lua', 'javascript'),
  callable: map,
};

const HANDLE: { readonly [Name in keyof Required<HandleDefinition>]: Rule } = {
  type: required({ wanted: 'a type with a name', fits: (value) => map.fits(value) && name.fits((value as { name?: unknown }).name) }),
  doc: required(text),
  methods: required({ ...map, wanted: 'an object of methods by name' }),
};

/** Declares a global. Throws BAD_ARGUMENT that names global, method and field when it is not what it should be. */
export function defineGlobal(definition: GlobalDefinition): GlobalDefinition {
  checkGlobal('defineGlobal', definition);
  return definition;
}

/** Throws BAD_ARGUMENT that begins with `place`, and names global, method and field, when the definition of a global is not what it should be. */
export function checkGlobal(place: string, definition: GlobalDefinition): void {
  const where = named(place, 'global', definition);
  checkFields(where, definition, GLOBAL);
  if (!definition.callable) checkValue(`${where}: name`, definition.name, capitalised);
  if (definition.callable) checkFields(where, definition.callable, METHOD);
  checkMethods(where, definition.methods);
  for (const handle of definition.handles ?? []) {
    const at = named(where, 'handle', handle?.type);
    checkFields(at, handle, HANDLE);
    checkMethods(at, handle.methods);
  }
}

/** Where a definition stands: its place and its name, if it has one. */
export function named(place: string, kind: string, definition: { readonly name?: unknown } | undefined | null): string {
  return typeof definition?.name === 'string' ? `${place}: ${kind} ${definition.name.slice(0, 80)}` : `${place}: ${kind}`;
}

function checkMethods(place: string, methods: Readonly<Record<string, object>>): void {
  for (const [key, definition] of Object.entries(methods)) {
    if (!NAME.test(key)) throw new ScriptError('BAD_ARGUMENT', `${place}: method ${JSON.stringify(key.slice(0, 80))}: expected ${name.wanted}`);
    checkFields(`${place}: method ${key}`, definition, METHOD);
  }
}

function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_zod' in value;
}
