import { ScriptError } from '../errors.ts';

/** What the name of a model is, in words. */
export const MODEL_WANTED = 'provider/model such as openai/gpt-4 or local/extractive';

/** Whether it is `provider/model`. */
export function isModelName(name: string): boolean {
  return /^[^/\s]+\/\S+$/.test(name);
}

/** A name's provider and model; only the first slash counts, models have slashes of their own. Throws BAD_ARGUMENT for what is no name of a model, which begins with `where`. */
export function splitName(name: string, wanted = MODEL_WANTED, where = 'model'): [provider: string, id: string] {
  if (!isModelName(name)) throw new ScriptError('BAD_ARGUMENT', `${where}: expected ${wanted}, got ${JSON.stringify(name)}`);
  const at = name.indexOf('/');
  return [name.slice(0, at), name.slice(at + 1)];
}
