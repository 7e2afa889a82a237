import { quoted } from '../call/check/failure.ts';
import { MODEL_NAME } from '../config/names.ts';
import { ScriptError } from '../errors.ts';

/** A name's provider and model. Throws BAD_ARGUMENT for what is no name of a model, which begins with `where`. */
export function splitName(name: string, wanted = MODEL_NAME.wanted, where = 'model'): [provider: string, id: string] {
  if (!MODEL_NAME.fits(name)) throw new ScriptError('BAD_ARGUMENT', `${where}: expected ${wanted}, got ${quoted(name)}`);
  const at = name.indexOf('/');
  return [name.slice(0, at), name.slice(at + 1)];
}
