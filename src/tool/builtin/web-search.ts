import type { Context } from '../../call/context.ts';
import { textSoon } from '../../call/long-text.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { pipelineOf } from '../../rag/pipeline.ts';
import { retrieve } from '../../rag/retrieve.ts';
import { z } from '../../zod.ts';
import { findInText } from '../json.ts';
import { request } from '../net/request.ts';
import { defineTool } from '../tool.ts';

const ENDPOINTS = {
  brave: 'https://api.search.brave.com/res/v1/web/search',
  tavily: 'https://api.tavily.com/search',
  searxng: undefined,
  json: undefined,
} as const;
/** Where each kind keeps its results. */
const RESULTS = { brave: '$.web.results[*]', tavily: '$.results[*]', searxng: '$.results[*]', json: '$.results[*]' } as const;

const result = z.object({ title: z.string(), url: z.string(), snippet: z.string() });

/** Web search by the service that the configuration names in `[tools.web_search]`; without one, the knowledge of the run's own tenant is searched. */
export const webSearch = defineTool(
  {
    name: 'web_search',
    description: 'Searches the web, or the ingested documents where no search service is configured',
    category: 'web',
    tags: ['network', 'search', 'internet'],
    input: z.strictObject({ query: z.string().min(1).max(1_000), limit: z.int().min(1).max(50).default(10) }),
    output: z.object({ query: z.string(), results: z.array(result), source: z.string(), note: z.string().optional() }),
    examples: [
      {
        lua: `RAG.ingest_documents("global", {{content = "The ferry leaves at noon."}})\nlocal found = Tool.execute("web_search", {query = "ferry"})\nprint(found.source .. ": " .. found.results[1].snippet)`,
        javascript: `RAG.ingest_documents("global", [{content: "The ferry leaves at noon."}])\nconst found = Tool.execute("web_search", {query: "ferry"})\nprint(found.source + ": " + found.results[0].snippet)`,
      },
    ],
    async execute({ query, limit }, context) {
      const settings = context.run.host.config.tools.web_search;
      if (!settings) return fromKnowledge(context, query, limit);
      const url = settings.url ?? ENDPOINTS[settings.kind];
      if (!url) throw new ScriptError('BAD_CONFIG', `web_search: [tools.web_search] of kind ${settings.kind} needs a url`);
      const all = await ask(context, settings.kind, new URL(url), query, limit, keyOf(settings.api_key_env));
      const found = all.slice(0, limit) as Record<string, unknown>[];
      const text = (value: unknown) => (typeof value === 'string' ? withoutTags(value) : '');
      return {
        query,
        source: settings.kind,
        results: found.map((one) => ({ title: text(one.title), url: text(one.url ?? one.link), snippet: text(one.snippet ?? one.description ?? one.content) })),
      };
    },
  },
  'builtin',
);

/** A text of a search service without the marks that some put around what was found. */
export function withoutTags(text: string): string {
  return text.replaceAll(/<[^<>]*>/g, '');
}

const NOTHING =
  'no search service is configured ([tools.web_search], kind = "brave", "tavily", "searxng" or "json"), and the ingested documents hold nothing on this';

async function fromKnowledge(context: Context, query: string, limit: number) {
  const hits = await retrieve(context, pipelineOf(context, context.run.tenant), { query, top_k: limit });
  return {
    query,
    source: 'knowledge',
    ...(hits.length === 0 && { note: NOTHING }),
    results: hits.map(({ chunk, document }) => ({
      title: [...(chunk.headings ?? [])].pop() ?? (typeof document.metadata.title === 'string' ? document.metadata.title : document.id),
      url: document.source ?? document.id,
      snippet: chunk.text,
    })),
  };
}

function keyOf(variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const key = process.env[variable];
  if (!key) throw new ScriptError('BAD_CONFIG', `web_search: the environment variable ${variable} is not set`);
  return key;
}

async function ask(context: Context, kind: keyof typeof ENDPOINTS, url: URL, query: string, limit: number, key: string | undefined): Promise<Value[]> {
  const trusted = [url.host];
  const post = kind === 'tavily';
  if (!post) {
    url.searchParams.set('q', query);
    if (kind === 'searxng') url.searchParams.set('format', 'json');
    else url.searchParams.set('count', String(limit));
  }
  const headers: Record<string, string> = { accept: 'application/json' };
  if (post) headers['content-type'] = 'application/json';
  if (key !== undefined && kind === 'brave') headers['x-subscription-token'] = key;
  else if (key !== undefined) headers.authorization = `Bearer ${key}`;
  const answer = await request(context, url.href, {
    trusted,
    headers,
    maxRedirects: 0,
    ...(post && { method: 'POST', body: JSON.stringify({ query, max_results: limit }) }),
  });
  if (answer.status !== 200)
    throw new ScriptError('TOOL_FAILED', `web_search: the search service answered ${answer.status}`, {
      details: { outcome: 'failed', retryable: answer.status >= 500 || answer.status === 429, status: answer.status },
    });
  try {
    return await findInText(context, (await textSoon(context.run.cpu, answer.body, true)) ?? '', RESULTS[kind]);
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw new ScriptError('TOOL_FAILED', 'web_search: the search service answered with something that is no JSON', {
      cause: error,
      details: { outcome: 'failed', retryable: true },
    });
  }
}
