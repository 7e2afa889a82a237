import type { Context } from '../../call/context.ts';
import { toJsonTextSoon } from '../../call/json.ts';
import { textSoon } from '../../call/long-text.ts';
import { anyValue, bytes, textOrBytes } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readJson } from '../json.ts';
import { fewCharacters, withDefaults } from '../net/headers.ts';
import { LONGEST_URL, MOST_ANSWER_BYTES, reachable, request } from '../net/request.ts';
import { defineTool } from '../tool.ts';

/** HTTP to the hosts that the run may reach. */
export const httpRequest = defineTool(
  {
    name: 'http_request',
    description: 'Makes an HTTP request',
    category: 'web',
    tags: ['network', 'api', 'fetch'],
    input: z.strictObject({
      url: z.string(),
      method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']).default('GET'),
      headers: z.record(z.string(), z.string()).default({}),
      query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
      json: anyValue.optional().describe('a body that is sent as JSON'),
      body: textOrBytes.optional(),
      follow_redirects: z.boolean().default(true),
    }),
    output: z.object({
      status: z.int(),
      ok: z.boolean(),
      url: z.string(),
      headers: z.record(z.string(), z.string()).describe('by name in small letters; several of set-cookie are one text with a line for each'),
      body: z.union([z.string(), bytes]),
      json: anyValue.optional().describe('the body, where it is JSON of at most 90,000 parts and 60 levels'),
      truncated: z.boolean().describe('the body was longer than 5 MB'),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "http_request", {url = "http://127.0.0.1:9/"})\nprint(err.code)`,
        javascript: `try { Tool.execute("http_request", {url: "http://127.0.0.1:9/"}) } catch (err) { print(err.code) }`,
      },
    ],
    async execute({ url, method, headers, query, json, body, follow_redirects }, context) {
      const target = reachable(context, url);
      setQuery(target, query);
      const asJson = json !== undefined && json !== null;
      if (asJson && body !== undefined) throw new ScriptError('BAD_ARGUMENT', 'http_request: expected either json or body, got both');
      const answer = await request(context, target.href, {
        method,
        headers: asJson ? withDefaults({ 'content-type': 'application/json' }, headers) : headers,
        body: asJson ? await toJsonTextSoon(context.run.cpu, json) : body,
        maxRedirects: follow_redirects ? 5 : 0,
        maxBytes: MOST_ANSWER_BYTES,
      });
      const text = (await textSoon(context.run.cpu, answer.body)) ?? new Uint8Array(answer.body);
      const parsed = typeof text === 'string' && /\bjson\b/.test(answer.headers['content-type'] ?? '') ? await parseOrNot(context, text) : undefined;
      return {
        status: answer.status,
        ok: answer.status >= 200 && answer.status < 300,
        url: answer.url,
        headers: { ...answer.headers },
        body: text,
        ...(parsed !== undefined && { json: parsed }),
        truncated: answer.truncated,
      };
    },
  },
  'builtin',
);

type Query = Readonly<Record<string, string | number | boolean>>;

/** Sets fields of an address's query: in the place of those of the same name, or behind the others. */
function setQuery(url: URL, query: Query): void {
  if (!fewCharacters(query, LONGEST_URL))
    throw new ScriptError('BAD_ARGUMENT', `http_request: query: expected at most ${LONGEST_URL} characters together, got more`);
  const given = new Map(Object.entries(query).map(([name, value]) => [name, String(value)]));
  if (given.size === 0) return;
  const fields: [string, string][] = [];
  const set = new Set<string>();
  for (const [name, value] of [...url.searchParams, ...given]) {
    if (!set.has(name)) fields.push([name, given.get(name) ?? value]);
    if (given.has(name)) set.add(name);
  }
  url.search = new URLSearchParams(fields).toString();
}

/** The value of a text that should be JSON; undefined where it is none, or too large for a script. */
async function parseOrNot(context: Context, text: string): Promise<Value | undefined> {
  try {
    return await readJson(context, text);
  } catch (error) {
    if (context.signal.aborted) throw error;
    return undefined;
  }
}
