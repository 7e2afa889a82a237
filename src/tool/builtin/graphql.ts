import type { Context } from '../../call/context.ts';
import { toJsonTextSoon } from '../../call/json.ts';
import { textSoon } from '../../call/long-text.ts';
import { anyMap, anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readJson } from '../json.ts';
import { withDefaults } from '../net/headers.ts';
import { reachable, request } from '../net/request.ts';
import { defineTool } from '../tool.ts';

/** GraphQL over HTTP. */
export const graphql = defineTool(
  {
    name: 'graphql',
    description: 'Asks a GraphQL endpoint',
    category: 'web',
    tags: ['network', 'api', 'query'],
    input: z.strictObject({
      url: z.string(),
      query: z.string().min(1).max(1_000_000),
      variables: anyMap.default({}),
      operation_name: z.string().optional(),
      headers: z.record(z.string(), z.string()).default({}),
      allow_errors: z.boolean().default(false).describe('give errors back beside the data instead of failing'),
    }),
    output: z.object({ data: anyValue, errors: z.array(anyValue).optional(), extensions: anyValue.optional() }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "graphql", {url = "http://127.0.0.1:9/", query = "{ me { name } }"})\nprint(err.code)`,
        javascript: `try { Tool.execute("graphql", {url: "http://127.0.0.1:9/", query: "{ me { name } }"}) } catch (err) { print(err.code) }`,
      },
    ],
    async execute({ url, query, variables, operation_name, headers, allow_errors }, context) {
      reachable(context, url);
      const answer = await request(context, url, {
        method: 'POST',
        headers: withDefaults({ accept: 'application/graphql-response+json, application/json;q=0.9', 'content-type': 'application/json' }, headers),
        body: await toJsonTextSoon(context.run.cpu, { query, variables, ...(operation_name !== undefined && { operationName: operation_name }) }),
      });
      const host = new URL(answer.url).host;
      const read = answer.truncated ? undefined : await readAnswer(context, answer.body);
      const failed = (what: string, more: Record<string, unknown> = {}) =>
        new ScriptError('TOOL_FAILED', `graphql: ${host} ${what}`, {
          details: { outcome: 'failed', retryable: answer.status >= 500 || answer.status === 429, status: answer.status, ...more },
        });
      if (answer.truncated) throw failed('answered with more than 5 MB');
      // An error of the request comes as JSON with any status (GraphQL over HTTP, section 6.4).
      if (!read) throw failed(answer.status >= 400 ? `answered ${answer.status}` : 'answered with something that is no GraphQL');
      const { data = null, errors, extensions } = read;
      if (errors !== undefined && !allow_errors) throw failed(`says: ${messageOf(errors[0])}`, { errors });
      return { data, ...(errors !== undefined && { errors }), ...(extensions !== undefined && { extensions }) };
    },
  },
  'builtin',
);

async function readAnswer(context: Context, body: Buffer): Promise<{ data?: Value; errors?: Value[]; extensions?: Value } | undefined> {
  try {
    const value = await readJson(context, (await textSoon(context.run.cpu, body, true)) ?? '', 'graphql: the answer');
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const { data, errors, extensions } = value as Record<string, Value | undefined>;
    if (data === undefined && !Array.isArray(errors)) return undefined;
    return {
      ...(data !== undefined && { data }),
      ...(Array.isArray(errors) && errors.length > 0 && { errors }),
      ...(extensions !== undefined && { extensions }),
    };
  } catch (error) {
    if (error instanceof ScriptError && error.code === 'BAD_ARGUMENT') return undefined;
    throw error;
  }
}

function messageOf(error: Value | undefined): string {
  const message = typeof error === 'object' && error !== null ? (error as Record<string, unknown>).message : undefined;
  return typeof message === 'string' ? message.slice(0, 300) : 'an error without a message';
}
