import { ScriptError } from '../errors.ts';

/** A name's provider and model; only the first slash counts, models have slashes of their own. Throws BAD_ARGUMENT for what is no name of a model, which begins with `where`. */
export function splitName(name: string, example = 'openai/gpt-4 or local/extractive', where = 'model'): [provider: string, id: string] {
  const at = name.indexOf('/');
  if (at < 1 || at === name.length - 1 || /\s/.test(name))
    throw new ScriptError('BAD_ARGUMENT', `${where}: expected provider/model such as ${example}, got ${JSON.stringify(name)}`);
  return [name.slice(0, at), name.slice(at + 1)];
}
