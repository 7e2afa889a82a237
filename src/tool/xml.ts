import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { beside } from './beside.ts';
import { request } from './net/request.ts';
import type { FeedInput, FeedResult } from './work/feed.ts';

/** XML up to this size is read at once, larger in a thread. */
const SMALL_BYTES = 20_000;

/** Fetches XML inside the fence. Throws TOOL_FAILED for an answer that is no success or is cut. */
export async function fetchXml(context: Context, url: string, accept: string): Promise<{ url: string; body: Buffer }> {
  const { status, url: final, body, truncated } = await request(context, url, { headers: { accept } });
  if (status < 200 || status >= 300)
    throw new ScriptError('TOOL_FAILED', `${context.method}: ${new URL(final).host} answered ${status}`, {
      details: { outcome: 'failed', retryable: status >= 500 || status === 429, status },
    });
  if (truncated)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: the answer of ${new URL(final).host} is too large`, {
      details: { outcome: 'failed', retryable: false },
    });
  return { url: final, body };
}

/** What a feed or sitemap says. Throws TOOL_FAILED when it is none. */
export async function readXml<K extends FeedInput['kind']>(context: Context, kind: K, bytes: Uint8Array, base: string | undefined): Promise<FeedResult[K]> {
  const input: FeedInput = { method: context.method, kind, bytes: new Uint8Array(bytes), base };
  if (bytes.length > SMALL_BYTES) return beside<FeedResult[K]>(context, new URL('./work/feed.ts', import.meta.url), input);
  const { run } = await import('./work/feed.ts');
  return run(input) as FeedResult[K];
}
