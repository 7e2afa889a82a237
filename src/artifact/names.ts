import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';

const ID = /^art_[0-9a-f]{24}$/;
const TYPE = /^[A-Za-z0-9][A-Za-z0-9_.+/-]{0,127}$/;
const MOST_NAME = 128;

/** Whether it is the id of an artifact and so no name of one. */
export function isArtifactId(text: string): boolean {
  return ID.test(text);
}

/** Letters, marks and digits of any script, and a few signs; so no separators of paths, quotation marks, control or invisible characters. */
const isNamed = (text: string) => /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_ .,()+@=#&~-]*$/u.test(text);

/** Throws BAD_ARGUMENT unless it can be the name of an artifact: it is refused rather than changed. */
export function checkArtifactName(context: Context, name: string, parameter = 'name'): void {
  const fits = isNamed(name) && [...name].length <= MOST_NAME && !name.endsWith(' ') && !name.endsWith('.') && name.normalize('NFC') === name && !ID.test(name);
  if (!fits)
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: ${parameter}: expected a name of 1 to ${MOST_NAME} letters, digits, spaces and any of _.,()+@=#&~- (beginning with a letter, digit or _, in composed Unicode), got ${JSON.stringify(name.slice(0, 80))}`,
    );
}

/** Throws BAD_ARGUMENT unless it can be the type of an artifact, such as `report` or `text/markdown`. */
export function checkArtifactType(context: Context, type: string): void {
  if (!TYPE.test(type))
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: type: expected 1 to 128 of A-Za-z0-9_.+/- such as report or text/markdown, got ${JSON.stringify(type.slice(0, 80))}`,
    );
}
