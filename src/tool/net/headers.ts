import type { Context } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';

export type HeaderMap = Readonly<Record<string, string>>;

/** What all headers of a request may be together: names and values. */
const MOST_CHARACTERS = 65_536;

/** Headers that say where a message ends or whose it is; they follow from the request. */
const OWN: ReadonlySet<string> = new Set(['connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Headers of the body. */
const OF_BODY: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-type']);

/** Headers that say nothing about who asks: what goes along when a redirect leads to another origin. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'cache-control', 'range', 'user-agent', ...OF_BODY]);

/** Throws BAD_ARGUMENT when headers are no headers, are set by the client itself, or are too many. */
export function checkHeaders(context: Context, headers: HeaderMap): void {
  const refuse = (what: string) => new ScriptError('BAD_ARGUMENT', `${context.method}: headers: ${what}`);
  if (!fewCharacters(headers, MOST_CHARACTERS)) throw refuse(`expected at most ${MOST_CHARACTERS} characters together, got more`);
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/.test(name)) throw refuse(`expected the name of a header, got ${JSON.stringify(name.slice(0, 80))}`);
    if (OWN.has(name.toLowerCase())) throw refuse(`${name} cannot be set`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) throw refuse(`${name}: expected one line of text in Latin-1`);
  }
}

/** Whether names and values have at most so many characters together; looks no further than needed. */
export function fewCharacters(fields: Readonly<Record<string, string | number | boolean>>, most: number): boolean {
  let left = most;
  for (const name in fields) {
    left -= name.length + String(fields[name]).length;
    if (left < 0) return false;
  }
  return true;
}

/** The headers, with those of the defaults that are not among them, in capitals or not. */
export function withDefaults(defaults: HeaderMap, headers: HeaderMap): HeaderMap {
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  return { ...only(defaults, (name) => !given.has(name)), ...headers };
}

/** What of the headers goes to another origin. */
export function harmless(headers: HeaderMap): HeaderMap {
  return only(headers, (name) => HARMLESS.has(name));
}

/** The headers of the same request without its body. */
export function withoutBody(headers: HeaderMap): HeaderMap {
  return only(headers, (name) => !OF_BODY.has(name));
}

/** The headers of an answer by name; several of `set-cookie`, the only ones that have not been joined by commas, are one with a line for each. */
export function headersOf(headers: Iterable<[string, string]>): Record<string, string> {
  const out = new Map<string, string>();
  for (const [name, value] of headers) {
    const before = out.get(name);
    out.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return Object.fromEntries(out);
}

function only(headers: HeaderMap, keep: (name: string) => boolean): HeaderMap {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => keep(name.toLowerCase())));
}
