import { re2 } from '../re2.ts';
import type { At } from './keyword.ts';

/** A pattern of a schema, found anywhere in a text in linear time by RE2, as JavaScript's own may take for ever. Throws BAD_ARGUMENT for what RE2 does not know, look-around and back-references among it, and LIMIT_EXCEEDED for one too many. */
export function compilePattern(source: string, { refuse, document }: At): (text: string) => boolean {
  document.add('patterns');
  try {
    const compiled = re2().compile(source);
    return (text) => compiled.matcher(text).find();
  } catch {
    throw refuse('a pattern of RE2');
  }
}
