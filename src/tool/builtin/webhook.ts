import { isUtf8 } from 'node:buffer';
import { createHmac } from '../../call/digest.ts';
import { hashed } from '../../call/hashing.ts';
import { toJsonTextSoon } from '../../call/json.ts';
import { anyValue } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { withDefaults } from '../net/headers.ts';
import { type Answer, reachable, request } from '../net/request.ts';
import { defineTool } from '../tool.ts';

const MOST_BODY = 100_000;

/** JSON posted to an address, signed if wanted, and again while the other side cannot take it. */
export const webhook = defineTool(
  {
    name: 'webhook',
    description: 'Posts JSON to a webhook, signed and with retries',
    category: 'web',
    tags: ['network', 'notify', 'post'],
    input: z.strictObject({
      url: z.string(),
      payload: anyValue,
      headers: z.record(z.string(), z.string()).default({}),
      secret: z.string().min(1).max(1_000).optional().describe('signs the body: the header carries sha256=HMAC in hexadecimal'),
      signature_header: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,100}$/)
        .default('x-signature-256'),
      retries: z.int().min(0).max(5).default(2).describe('after no answer, 408, 429 or 500 and above'),
      backoff_ms: z.int().min(0).max(5_000).default(500).describe('before the first retry; doubles each time'),
    }),
    output: z.object({
      status: z.int(),
      body: z.string(),
      attempts: z.int(),
      delivery_id: z.string().describe('the same in every attempt, in the header x-delivery-id'),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "webhook", {url = "http://127.0.0.1:9/", payload = {done = true}})\nprint(err.code)`,
        javascript: `try { Tool.execute("webhook", {url: "http://127.0.0.1:9/", payload: {done: true}}) } catch (err) { print(err.code) }`,
      },
    ],
    async execute({ url, payload, headers, secret, signature_header, retries, backoff_ms }, context) {
      reachable(context, url);
      const { cpu } = context.run;
      const body = await toJsonTextSoon(cpu, payload);
      const delivery_id = context.run.uuid();
      const signed = secret === undefined ? undefined : await hashed(cpu, createHmac('sha256', secret), body);
      const own = { 'x-delivery-id': delivery_id, ...(signed && { [signature_header]: `sha256=${signed.digest('hex')}` }) };
      // A redirect would post the body to somebody else: it is an answer like any other that is no success.
      const send = () =>
        request(context, url, {
          method: 'POST',
          headers: withDefaults(withDefaults({ 'content-type': 'application/json' }, headers), own),
          body,
          maxRedirects: 0,
          maxBytes: MOST_BODY,
        });
      for (let attempt = 1; ; attempt++) {
        const outcome = await send().catch((error: unknown) => error);
        const last = attempt > retries;
        if (!isAnswer(outcome)) {
          if (last || context.signal.aborted || !(outcome instanceof ScriptError) || outcome.details?.retryable !== true) throw outcome;
        } else {
          const { status } = outcome;
          if (status >= 200 && status < 300) return { status, body: isUtf8(outcome.body) ? outcome.body.toString('utf8') : '', attempts: attempt, delivery_id };
          const retryable = status === 408 || status === 429 || status >= 500;
          if (last || !retryable)
            throw new ScriptError('TOOL_FAILED', `webhook: ${new URL(url).host} answered ${status}${attempt > 1 ? ` (${attempt} attempts)` : ''}`, {
              details: { outcome: 'failed', retryable, status, attempts: attempt },
            });
        }
        await context.run.sleep(backoff_ms * 2 ** (attempt - 1), context.signal);
      }
    },
  },
  'builtin',
);

function isAnswer(outcome: unknown): outcome is Answer {
  return typeof outcome === 'object' && outcome !== null && !(outcome instanceof Error) && 'status' in outcome;
}
