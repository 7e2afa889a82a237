import { createRequire } from 'node:module';

let loaded: typeof import('re2js').RE2JS | undefined;

/** Regular expressions in linear time; the library is large, few runs need it, and who does cannot wait for an import. */
export function re2(): typeof import('re2js').RE2JS {
  loaded ??= (createRequire(import.meta.url)('re2js') as typeof import('re2js')).RE2JS;
  return loaded;
}
