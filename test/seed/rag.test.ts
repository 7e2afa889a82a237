import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/config.ts';
import { log } from '../../src/log/log.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testRuntime } from '../support/runtime.ts';

/** The scripts that the project started from, word for word, and the same in JavaScript. */
const OPERATIONS = {
  lua: `
-- RAG operations (Phase 8)
local rag = RAG.create({
    chunking = {strategy = "semantic", chunk_size = 512},
    embedding_provider = "openai/text-embedding-ada-002"
})

-- Multi-tenant document ingestion
RAG.ingest_documents("tenant:company-123", {
    {content = document_text, metadata = {type = "manual"}},
    {file_path = "docs/guide.md", metadata = {type = "documentation"}}
})

-- Tenant-scoped retrieval
local results = RAG.retrieve("tenant:company-123", {
    query = "How do I configure authentication?",
    top_k = 5,
    similarity_threshold = 0.8
})

-- Session-aware RAG with conversation memory
local session_id = Session.current_id()
local context_results = RAG.retrieve_with_context(
    "tenant:company-123",
    session_id,
    "What were the performance metrics we discussed?"
)`,
  javascript: `
// RAG operations (Phase 8)
const rag = RAG.create({
    chunking: {strategy: "semantic", chunk_size: 512},
    embedding_provider: "openai/text-embedding-ada-002"
})

// Multi-tenant document ingestion
RAG.ingest_documents("tenant:company-123", [
    {content: document_text, metadata: {type: "manual"}},
    {file_path: "docs/guide.md", metadata: {type: "documentation"}}
])

// Tenant-scoped retrieval
const results = RAG.retrieve("tenant:company-123", {
    query: "How do I configure authentication?",
    top_k: 5,
    similarity_threshold: 0.8
})

// Session-aware RAG with conversation memory
const session_id = Session.current_id()
const context_results = RAG.retrieve_with_context(
    "tenant:company-123",
    session_id,
    "What were the performance metrics we discussed?"
)`,
};

const ACCESS = {
  lua: `
-- Create RAG pipeline with tenant isolation
local rag = RAG.create({
    tenant_id = "company-123",
    chunking = {
        strategy = "semantic",
        chunk_size = 512,
        overlap = 50
    },
    embedding_provider = "openai/text-embedding-ada-002",
    vector_storage = {
        backend = "hnsw",
        distance_metric = "cosine",
        ef_construction = 200
    }
})

-- Batch document ingestion
local ingestion_result = RAG.ingest_documents("tenant:company-123", {
    {
        content = file_content,
        metadata = {
            document_id = "user-guide-v1",
            document_type = "documentation",
            version = "1.0"
        }
    },
    {
        file_path = "docs/api-reference.md",
        metadata = {
            document_type = "api_docs",
            last_updated = "2024-08-28"
        }
    }
})

Logger.info("Ingestion complete", {
    chunks_created = ingestion_result.chunks_created,
    vectors_indexed = ingestion_result.vectors_indexed
})

-- Advanced retrieval with filtering
local results = RAG.retrieve("tenant:company-123", {
    query = "How do I configure multi-tenant authentication?",
    top_k = 10,
    similarity_threshold = 0.8,
    metadata_filters = {
        document_type = "documentation",
        version = "1.0"
    },
    rerank = true
})

-- Process retrieval results
for i, result in ipairs(results.chunks) do
    Logger.info("Result", {
        rank = i,
        similarity = result.similarity,
        document_id = result.metadata.document_id,
        content_preview = string.sub(result.content, 1, 100)
    })
end

-- Session-aware retrieval with conversation context
local session_rag_results = RAG.retrieve_with_context(
    "tenant:company-123",
    Session.current_id(),
    {
        query = "What were the security considerations mentioned earlier?",
        conversation_memory_turns = 5,
        context_boost = 1.2
    }
)

-- RAG pipeline statistics and monitoring
local rag_stats = RAG.get_stats("tenant:company-123")
Logger.info("RAG Statistics", {
    total_documents = rag_stats.document_count,
    total_chunks = rag_stats.chunk_count,
    vector_storage_mb = rag_stats.storage_size_mb,
    avg_retrieval_time_ms = rag_stats.avg_retrieval_time
})

-- Tenant data management
RAG.delete_documents("tenant:company-123", {
    document_ids = {"obsolete-doc-1", "obsolete-doc-2"}
})

-- Bulk tenant cleanup
RAG.cleanup_tenant("tenant:old-company")`,
  javascript: `
// Create RAG pipeline with tenant isolation
const rag = RAG.create({
    tenant_id: "company-123",
    chunking: {
        strategy: "semantic",
        chunk_size: 512,
        overlap: 50
    },
    embedding_provider: "openai/text-embedding-ada-002",
    vector_storage: {
        backend: "hnsw",
        distance_metric: "cosine",
        ef_construction: 200
    }
})

// Batch document ingestion
const ingestion_result = RAG.ingest_documents("tenant:company-123", [
    {
        content: file_content,
        metadata: {
            document_id: "user-guide-v1",
            document_type: "documentation",
            version: "1.0"
        }
    },
    {
        file_path: "docs/api-reference.md",
        metadata: {
            document_type: "api_docs",
            last_updated: "2024-08-28"
        }
    }
])

Logger.info("Ingestion complete", {
    chunks_created: ingestion_result.chunks_created,
    vectors_indexed: ingestion_result.vectors_indexed
})

// Advanced retrieval with filtering
const results = RAG.retrieve("tenant:company-123", {
    query: "How do I configure multi-tenant authentication?",
    top_k: 10,
    similarity_threshold: 0.8,
    metadata_filters: {
        document_type: "documentation",
        version: "1.0"
    },
    rerank: true
})

// Process retrieval results
for (const [i, result] of results.chunks.entries()) {
    Logger.info("Result", {
        rank: i + 1,
        similarity: result.similarity,
        document_id: result.metadata.document_id,
        content_preview: result.content.slice(0, 100)
    })
}

// Session-aware retrieval with conversation context
const session_rag_results = RAG.retrieve_with_context(
    "tenant:company-123",
    Session.current_id(),
    {
        query: "What were the security considerations mentioned earlier?",
        conversation_memory_turns: 5,
        context_boost: 1.2
    }
)

// RAG pipeline statistics and monitoring
const rag_stats = RAG.get_stats("tenant:company-123")
Logger.info("RAG Statistics", {
    total_documents: rag_stats.document_count,
    total_chunks: rag_stats.chunk_count,
    vector_storage_mb: rag_stats.storage_size_mb,
    avg_retrieval_time_ms: rag_stats.avg_retrieval_time
})

// Tenant data management
RAG.delete_documents("tenant:company-123", {
    document_ids: ["obsolete-doc-1", "obsolete-doc-2"]
})

// Bulk tenant cleanup
RAG.cleanup_tenant("tenant:old-company")`,
};

const MANUAL = 'To configure authentication, set a token for each login of a user.';
const GUIDE = '# Guide\n\nAuthentication is configured in the file auth.toml.\n\nThe performance metrics are latency and throughput.\n';
const USER_GUIDE = 'Multi-tenant authentication is configured per tenant, with a token for each login. The security considerations are limits.';
const REFERENCE = '# Reference\n\nPOST /login takes a token. The security considerations of the API are rate limits.\n';

const KEY = 'key-of-the-test';
const DIMENSIONS = 1_536;
/** What the scripted embedding model understands: a direction for each subject. */
const SUBJECTS = [/authenticat|login|token/i, /perform|metric|latency|throughput/i, /securit|isolation/i, /deploy|port/i];

const requests: { authorization: string | undefined; model: unknown; texts: number }[] = [];
const server = createServer(async (request, response) => {
  const { input, model } = JSON.parse(await bodyOf(request)) as { input: string[]; model: string };
  requests.push({ authorization: request.headers.authorization, model, texts: input.length });
  const data = input.map((text, index) => ({ object: 'embedding', index, embedding: embed(text) }));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: input.length, total_tokens: input.length } }));
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request) body += piece;
  return body;
}

function embed(text: string): number[] {
  const vector = Array.from({ length: DIMENSIONS }, () => 0);
  vector[DIMENSIONS - 1] = 0.1;
  for (const [at, subject] of SUBJECTS.entries()) vector[at] = [...text.matchAll(new RegExp(subject, 'gi'))].length;
  return vector;
}

const folder = mkdtempSync(join(tmpdir(), 'llmspell-seed-'));
beforeAll(async () => {
  mkdirSync(join(folder, 'docs'));
  writeFileSync(join(folder, 'docs/guide.md'), GUIDE);
  writeFileSync(join(folder, 'docs/api-reference.md'), REFERENCE);
  process.env.SEED_EMBEDDING_KEY = KEY;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(() => void requests.splice(0));
afterAll(() => {
  delete process.env.SEED_EMBEDDING_KEY;
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const remote = (): ConfigInput => ({
  log: { level: 'info' },
  models: {
    providers: { openai: { kind: 'openai', base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, api_key_env: 'SEED_EMBEDDING_KEY' } },
  },
});
const TENANTS = ['company-123', 'old-company'];

async function run(language: 'lua' | 'javascript', source: string, config: ConfigInput, tenants = TENANTS) {
  const test = await testRuntime(config);
  const entries: { message: string; fields: Record<string, unknown> }[] = [];
  test.runtime.host.get(log).writeTo(({ message, fields }) => void entries.push({ message, fields: { ...fields } }));
  const grants = { ...test.grants, read: [folder], models: ['local/*', 'openai/*'], tenants };
  return { test, entries, result: await test.runtime.execute(source, { language, grants }) };
}

/** The script with what it takes from elsewhere before it, and what it found behind. */
function whole(language: 'lua' | 'javascript', script: string, before: Record<string, string>, seen: string): string {
  const given = Object.entries(before).map(([name, text]) => `${language === 'lua' ? 'local' : 'const'} ${name} = ${JSON.stringify(text)}`);
  const turns =
    language === 'lua'
      ? 'Session.add_turn(Session.current_id(), {role = "user", content = "Tell me about latency, throughput and other performance metrics."})'
      : 'Session.add_turn(Session.current_id(), {role: "user", content: "Tell me about latency, throughput and other performance metrics."})';
  return [...given, turns, script, `return ${seen}`].join('\n');
}

describe.each(['lua', 'javascript'] as const)('retrieval in %s', (language) => {
  const lua = language === 'lua';
  const list = (...items: string[]) => (lua ? `{${items.join(', ')}}` : `[${items.join(', ')}]`);

  it('ingests for a tenant, retrieves, and remembers the conversation', async () => {
    const source = whole(language, OPERATIONS[language], { document_text: MANUAL }, list('results', 'context_results'));
    const { test, result } = await run(language, source, remote());
    const [results, context] = result.value as { chunks: { content: string; similarity: number; metadata: object }[]; context: string }[];
    expect(results?.chunks.length).toBeGreaterThan(0);
    for (const chunk of results?.chunks ?? [])
      expect(chunk).toMatchObject({ content: expect.stringMatching(/authentication/i), similarity: expect.any(Number) });
    expect(Math.min(...(results?.chunks ?? []).map(({ similarity }) => similarity))).toBeGreaterThanOrEqual(0.8);
    expect(results?.chunks.map(({ metadata }) => metadata)).toContainEqual({ type: 'manual', document_id: expect.any(String) });
    expect(context?.chunks[0]?.content).toContain('The performance metrics are latency and throughput.');
    expect(context?.context).toMatch(/^\[1\] docs\/guide\.md/);
    expect(new Set(requests.map(({ authorization, model }) => `${authorization} ${model}`))).toEqual(new Set([`Bearer ${KEY} text-embedding-ada-002`]));
    await test[Symbol.asyncDispose]();
  });

  it('has the whole life of a pipeline: batch, filters, conversation, statistics, deletion, removal', async () => {
    const source = whole(
      language,
      ACCESS[language],
      { file_content: USER_GUIDE },
      list('ingestion_result', 'results', 'session_rag_results', 'rag_stats', 'rag'),
    );
    const { test, result, entries } = await run(language, source, remote());
    const [ingested, results, session, stats] = result.value as [object, { chunks: object[] }, { chunks: { content: string }[] }, object];
    expect(ingested).toMatchObject({ documents: 2, skipped: 0, failed: [] });
    expect(results.chunks).toMatchObject([
      { document_id: 'user-guide-v1', metadata: { document_id: 'user-guide-v1', document_type: 'documentation', version: '1.0' } },
    ]);
    expect(session.chunks.map(({ content }) => content).join('\n')).toContain('security considerations');
    expect(stats).toMatchObject({ document_count: 2, embedding_provider: 'openai/text-embedding-ada-002', dimensions: DIMENSIONS, retrievals: 2 });
    expect(entries.map(({ message }) => message)).toEqual(['Ingestion complete', 'Result', 'RAG Statistics']);
    expect(entries[1]?.fields).toMatchObject({ rank: 1, document_id: 'user-guide-v1', content_preview: USER_GUIDE.slice(0, 100) });
    expect(entries[2]?.fields).toMatchObject({ total_documents: 2, avg_retrieval_time_ms: expect.any(Number) });
    expect(existsSync(tenantFolder(join(test.folder, 'data'), 'old-company'))).toBe(false);
    await test[Symbol.asyncDispose]();
  });

  it('runs without a network where another embedding model stands in', async () => {
    const source = whole(language, ACCESS[language].replaceAll('0.8', '0.2'), { file_content: USER_GUIDE }, list('rag_stats', 'results'));
    const { test, result } = await run(language, source, { models: { embedding_override: 'local/hash' } });
    expect(result.value).toMatchObject([{ document_count: 2, embedding_provider: 'local/hash' }, { chunks: [{ document_id: 'user-guide-v1' }] }]);
    expect(requests).toEqual([]);
    await test[Symbol.asyncDispose]();
  });

  it('reaches no tenant without a grant', async () => {
    const source = whole(language, OPERATIONS[language], { document_text: MANUAL }, 'nil');
    await expect(run(language, lua ? source : source.replace('return nil', ''), remote(), [])).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('RAG.ingest_documents: this run may not reach the tenant company-123 (grants.tenants or --allow-tenant company-123)'),
    });
    expect(requests).toEqual([]);
  });
});
