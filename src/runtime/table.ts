import type { GlobalDefinition } from '../call/define.ts';
import { checkGlobal } from '../call/definition.ts';
import { createMethodTable, type MethodTable } from '../call/dispatch.ts';
import { ScriptError } from '../errors.ts';
import { globals as builtinGlobals } from '../globals/index.ts';
import type { RuntimeOptions } from './options.ts';

const NO_GLOBALS: readonly GlobalDefinition[] = [];
/** Method tables by the globals that come beside the built-in ones: runtimes with the same share one, and with it the engines' images. */
const tables = new WeakMap<readonly GlobalDefinition[], Map<string, MethodTable>>();

/** The methods that the scripts of a runtime have; throws BAD_ARGUMENT for a global that is no definition, or that is there already. */
export function tableOf({ globals = NO_GLOBALS, builtins = true, checkResults = false }: RuntimeOptions): MethodTable {
  const made = tables.get(globals) ?? new Map<string, MethodTable>();
  tables.set(globals, made);
  const key = `${builtins} ${checkResults}`;
  const known = made.get(key);
  if (known) return known;
  const taken = new Set(builtins ? builtinGlobals.map(({ name }) => name) : []);
  const trusted = new Set(checkResults ? [] : taken);
  for (const definition of globals) {
    checkGlobal('ScriptRuntime.create', definition);
    if (taken.has(definition.name)) throw new ScriptError('BAD_ARGUMENT', `ScriptRuntime.create: globals: there is a global ${definition.name} already`);
    taken.add(definition.name);
  }
  const table = createMethodTable([...(builtins ? builtinGlobals : []), ...globals], { trusted, standard: builtins && globals.length === 0 });
  made.set(key, table);
  return table;
}
