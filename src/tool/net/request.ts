import { isIP } from 'node:net';
import { breathe, inTurns } from '../../call/breath.ts';
import { allowedBy } from '../../call/capability.ts';
import type { Context } from '../../call/context.ts';
import type { Cpu } from '../../call/cpu.ts';
import { external } from '../../call/external.ts';
import { bytesOf } from '../../call/text.ts';
import { ScriptError } from '../../errors.ts';
import { checkHeaders, type HeaderMap, harmless, headersOf, withDefaults, withoutBody } from './headers.ts';
import { hostAllowed, isPublic, namedLiterally } from './rules.ts';
import { loadUndici } from './undici.ts';

export interface RequestOptions {
  readonly method?: string | undefined;
  readonly headers?: HeaderMap | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Bytes of the answer that are read at most, unpacked. */
  readonly maxBytes?: number | undefined;
  readonly maxRedirects?: number | undefined;
  /** Hosts that the configuration names for this purpose, beyond the run's grants; these may be private. */
  readonly trusted?: readonly string[] | undefined;
}

export interface Answer {
  readonly status: number;
  readonly url: string;
  /** By name; several of `set-cookie` are one a line. */
  readonly headers: HeaderMap;
  readonly body: Buffer;
  /** True when the body was longer than `maxBytes`. */
  readonly truncated: boolean;
}

export const MOST_ANSWER_BYTES = 5 * 2 ** 20;
const MOST_REDIRECTS = 5;
/** Characters of an address. */
export const LONGEST_URL = 65_536;
/** Longer bodies are sent in pieces of this size. */
const PIECE = 2 ** 18;

/**
 * Makes an HTTP request inside the fence: each host on the way must be allowed, its name is resolved once, every address is checked, and the
 * connection goes to exactly the one that was. Throws NOT_ALLOWED, or TOOL_FAILED with `details.outcome` and `details.retryable`.
 */
export function request(context: Context, address: string, options: RequestOptions = {}): Promise<Answer> {
  return external(context, () => follow(context, address, options));
}

/** The address as it is read, of a host that the run may reach: for those who have work to do before they ask. Throws BAD_ARGUMENT and NOT_ALLOWED. */
export function reachable(context: Context, address: string): URL {
  const url = parse(context, address);
  checkAllowed(context, url, []);
  return url;
}

async function follow(context: Context, address: string, options: RequestOptions): Promise<Answer> {
  let url = parse(context, address);
  let { method = 'GET', body } = options;
  const { trusted = [], maxBytes = MOST_ANSWER_BYTES } = options;
  checkAllowed(context, url, trusted);
  checkSending(context, options);
  let headers = withDefaults({ 'user-agent': 'llmspell' }, options.headers ?? {});
  for (let hop = 0; ; hop++) {
    const target = await check(context, url, trusted);
    const answer = await send(context, url, target, { method, headers, body, maxBytes });
    const next = answer.headers.location;
    if (next === undefined || ![301, 302, 303, 307, 308].includes(answer.status) || options.maxRedirects === 0) return answer;
    if (hop >= (options.maxRedirects ?? MOST_REDIRECTS))
      throw failure(context, `more than ${options.maxRedirects ?? MOST_REDIRECTS} redirects from ${address}`, 'failed', false);
    const to = parse(context, next, url);
    if (to.origin !== url.origin) headers = harmless(headers);
    if ((answer.status === 303 && method !== 'HEAD') || ((answer.status === 301 || answer.status === 302) && method === 'POST')) {
      method = 'GET';
      body = undefined;
      headers = withoutBody(headers);
    }
    url = to;
  }
}

function parse(context: Context, address: string, base?: URL): URL {
  if (!base && address.length > LONGEST_URL)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: url: expected at most ${LONGEST_URL} characters, got ${address.length}`);
  const url = URL.parse(address, base?.href);
  if (base && url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw failure(context, `${base.host} redirects to something that is no address with http or https`, 'failed', false);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: url: expected an address with http or https, got ${JSON.stringify(address.slice(0, 100))}`);
  if (base && (url.username || url.password))
    throw failure(context, `${base.host} redirects to an address with a user name or password in it`, 'failed', false);
  if (url.username || url.password) throw new ScriptError('BAD_ARGUMENT', `${context.method}: url: expected no user name or password in it; use a header`);
  return url;
}

function checkSending(context: Context, { method = 'GET', headers = {}, body }: RequestOptions): void {
  checkHeaders(context, headers);
  if (body !== undefined && (method === 'GET' || method === 'HEAD'))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: a request with ${method} has no body`);
}

interface Target {
  readonly address: string;
  readonly family: number;
}

/** Throws NOT_ALLOWED unless the run may reach the host by its name; gives what is needed to tell whether its addresses may be private. */
function checkAllowed(context: Context, url: URL, trusted: readonly string[]): { host: string; written: string; port: number; literal: boolean } {
  const { net } = context.run.grants;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const written = isIP(host) === 6 ? `[${host}]` : host;
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const known = namedLiterally(trusted, host, port);
  if (!known && !hostAllowed(net, host, port))
    throw new ScriptError('NOT_ALLOWED', `${context.method}: this run may not reach ${url.host} (${allowedBy('net', written)})`, {
      details: { outcome: 'not_sent', retryable: false },
    });
  return { host, written, port, literal: known || namedLiterally(net, host, port) };
}

async function check(context: Context, url: URL, trusted: readonly string[]): Promise<Target> {
  const { host, written, port, literal } = checkAllowed(context, url, trusted);
  const found = await resolveHost(context, host);
  const refused = literal ? undefined : found.find(({ address }) => !isPublic(address));
  if (refused)
    throw new ScriptError(
      'NOT_ALLOWED',
      `${context.method}: ${url.host} is a private address; it must be allowed by its own name (${allowedBy('net', `${written}:${port}`)})`,
      { details: { outcome: 'not_sent', retryable: false } },
    );
  return found[0] as Target;
}

async function resolveHost(context: Context, host: string): Promise<Target[]> {
  const family = isIP(host);
  if (family) return [{ address: host, family }];
  try {
    const found = await process.getBuiltinModule('node:dns/promises').lookup(host, { all: true });
    if (found.length > 0) return found;
  } catch {
    // Told below.
  }
  throw failure(context, `the name ${host} cannot be resolved`, 'not_sent', true);
}

interface Sent {
  readonly method: string;
  readonly headers: HeaderMap;
  readonly body: string | Uint8Array | undefined;
  readonly maxBytes: number;
}

async function send(context: Context, url: URL, target: Target, { method, headers, body, maxBytes }: Sent): Promise<Answer> {
  const { Agent, fetch } = await loadUndici();
  const dispatcher = new Agent({
    connect: { lookup: (_host, options, done) => (options.all ? done(null, [target]) : done(null, target.address, target.family)) },
    pipelining: 0,
  });
  try {
    const long = body !== undefined && body.length > PIECE;
    // What made it may have taken this turn.
    if (long) await breathe(context.run.cpu);
    const sent = long ? inPieces(body, headers) : { headers: { ...headers }, body: body ?? null };
    const response = await fetch(url, { method, ...sent, redirect: 'manual', dispatcher, signal: context.signal });
    const { bytes, truncated } = await readBody(context.run.cpu, response.body, maxBytes);
    return { status: response.status, url: url.href, headers: headersOf(response.headers), body: bytes, truncated };
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw failure(context, `${url.host} ${why(error)}`, method === 'GET' ? 'failed' : 'unknown', true, error);
  } finally {
    dispatcher.destroy().catch(() => undefined);
  }
}

/** A long body, of which others have their turns between two pieces; its length is told all the same. */
function inPieces(body: string | Uint8Array, headers: HeaderMap) {
  async function* pieces() {
    yield* bytesOf(body, PIECE);
  }
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  // As `fetch` says of a text by itself.
  const typed = typeof body === 'string' ? withDefaults({ 'content-type': 'text/plain;charset=UTF-8' }, headers) : headers;
  return { headers: { ...typed, 'content-length': `${length}` }, body: pieces(), duplex: 'half' as const };
}

async function readBody(cpu: Cpu, body: AsyncIterable<Uint8Array> | null, most: number): Promise<{ bytes: Buffer; truncated: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    pieces.push(piece);
    size += piece.length;
    if (size > most) break;
  }
  const bytes = Buffer.allocUnsafeSlow(Math.min(size, most));
  let next = 0;
  let at = 0;
  await inTurns(cpu, () => {
    const piece = pieces[next++]?.subarray(0, bytes.length - at);
    if (piece) bytes.set(piece, at);
    at += piece?.length ?? 0;
    return next >= pieces.length;
  });
  return { bytes, truncated: size > most };
}

function why(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  if (cause?.code === 'ECONNREFUSED') return 'refused the connection';
  if (cause?.code === 'ECONNRESET' || cause?.code === 'UND_ERR_SOCKET') return 'closed the connection in the middle of its answer';
  if (cause?.code?.includes('TIMEOUT')) return 'did not answer in time';
  return `cannot be reached${cause?.code ? ` (${cause.code})` : ''}`;
}

function failure(context: Context, what: string, outcome: string, retryable: boolean, cause?: unknown): ScriptError {
  return new ScriptError('TOOL_FAILED', `${context.method}: ${what}`, { details: { outcome, retryable }, cause });
}
