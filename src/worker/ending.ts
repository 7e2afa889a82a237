import { extname } from 'node:path';

/** Sources run as they are or compiled; programs and tasks have the ending that this file has. */
const ENDING = extname(new URL(import.meta.url).pathname);

/** The module's URL as it is here: `.ts` among sources, `.js` among compiled files. */
export function withEnding(url: URL): URL {
  return new URL(url.href.replace(/\.[jt]s$/, ENDING));
}
