import { z } from 'zod';
import type { Context } from '../call/context.ts';
import { defineGlobal, defineHandle, handleMethod, method } from '../call/define.ts';
import { anyMap, callback, handle } from '../call/schema.ts';
import { answer } from '../rag/answer.ts';
import { chunkOptions, toChunking } from '../rag/chunk/chunk.ts';
import { RAG_HANDLE, type RagHandle } from '../rag/handle.ts';
import { ingested } from '../rag/hooked.ts';
import { ingest } from '../rag/ingest.ts';
import { openPipeline, type Pipeline, pipelineOf, setUp } from '../rag/pipeline.ts';
import { chunksFor, citationsFor, contextFor, quotationsFor } from '../rag/present.ts';
import { queryFields, words } from '../rag/query.ts';
import { retrieve } from '../rag/retrieve.ts';
import { knowledgeTenant } from '../rag/scope.ts';
import { documentInput } from '../rag/sources.ts';
import { conversationOf } from '../rag/turns.ts';
import { cleanUp, deleteDocuments, getDocument, listDocuments, rebuild, statsOf } from '../rag/upkeep.ts';
import { requireTenant } from '../tenant/reach.ts';

const scope = z.string().describe("`global` is the run's own tenant, tenant:ID another that the run may reach");
const name = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z a-z 0-9 _ -');

const vectorStorage = z.strictObject({
  backend: z.enum(['hnsw', 'flat']).optional(),
  distance_metric: z.enum(['cosine', 'dot', 'l2']).optional(),
  ef_construction: z.int().min(8).max(4_096).optional(),
  m: z.int().min(2).max(128).optional(),
  ef_search: z.int().min(8).max(4_096).optional(),
});
const spec = z.strictObject({
  tenant_id: z.string().optional(),
  name: name.optional().describe('main if not given'),
  chunking: chunkOptions.optional(),
  embedding_provider: z.string().optional().describe('provider/model; local/words if not given'),
  vector_storage: vectorStorage.optional(),
});

const documents = z.array(documentInput);
const ingestOptions = z.strictObject({ chunking: chunkOptions.optional(), on_progress: callback('(done: number, total: number) => any').optional() });
const ingestion = ingested.extend({ duration_ms: z.number() });

const searchFields = {
  ...queryFields,
  neighbors: z.int().min(0).max(10).optional().describe('so many chunks before and behind join `surrounding`'),
};
const query = z.union([words, z.strictObject(searchFields)]);
const conversationFields = {
  ...searchFields,
  conversation_memory_turns: z.int().min(0).max(50).optional().describe('5 if not given'),
  context_boost: z.number().min(1).max(10).optional().describe('1.2 if not given'),
  max_tokens: z.int().min(1).max(1_000_000).optional().describe('of the context; 2,000 if not given'),
};
const conversational = z.union([words, z.strictObject(conversationFields)]);
const question = z.union([
  words,
  z.strictObject({
    ...conversationFields,
    session_id: z.string().optional(),
    model: z.string().optional().describe('local/extractive if not given'),
    system_prompt: z.string().optional(),
  }),
]);

const offset = z.object({ start: z.int(), stop: z.int() }).describe('for string.sub in Lua and slice in JavaScript');
const chunk = z.object({
  content: z.string(),
  similarity: z.number().optional(),
  score: z.number(),
  metadata: anyMap,
  document_id: z.string(),
  source: z.string().optional(),
  headings: z.array(z.string()),
  chunk_index: z.int(),
  offset,
  surrounding: z.string().optional(),
});
const retrieved = z.object({ chunks: z.array(chunk), query: z.string(), duration_ms: z.number() });
const citation = z.object({ number: z.int(), document_id: z.string(), source: z.string(), heading: z.string(), offset });
const withContext = retrieved.extend({ context: z.string(), citations: z.array(citation), truncated: z.boolean() });
const quotation = z.object({
  text: z.string(),
  verified: z.boolean(),
  citation: z.int().optional(),
  document_id: z.string().optional(),
  source: z.string().optional(),
  offset: offset.optional(),
});
const usage = z.object({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int(), cached_tokens: z.int() });
const answered = z.object({
  output: z.string(),
  quotations: z.array(quotation),
  citations: z.array(citation),
  chunks: z.array(chunk),
  usage,
  model: z.string(),
  cost_usd: z.number().optional(),
  duration_ms: z.number(),
});

const which = z.strictObject({ document_ids: z.array(z.string()).optional(), metadata_filters: anyMap.optional() });
const listing = z.strictObject({
  metadata_filters: anyMap.optional(),
  limit: z.int().min(1).max(10_000).optional().describe('1,000 if not given'),
  after: z.string().optional().describe('the last id of the page before'),
});
const info = z.object({
  document_id: z.string(),
  source: z.string().optional(),
  format: z.string(),
  metadata: anyMap,
  version: z.int(),
  chunk_count: z.int(),
  size: z.int(),
  created_at: z.int(),
  updated_at: z.int(),
});
const stats = z.object({
  document_count: z.int(),
  chunk_count: z.int(),
  vector_count: z.int(),
  storage_size_mb: z.number(),
  avg_retrieval_time: z.number().describe('ms, since the host started'),
  retrievals: z.int(),
  embedding_provider: z.string().optional(),
  dimensions: z.int().optional(),
  index: z.object({ kind: z.string(), state: z.string(), entries: z.int() }),
});

type Inside<S extends z.ZodType> = z.output<S>;

async function timed<T>(work: () => Promise<T>): Promise<T & { duration_ms: number }> {
  const started = performance.now();
  return { ...(await work()), duration_ms: performance.now() - started };
}

/** Every method once, over the pipeline that a scope or a handle means. */
const operations = {
  ingest: (context: Context, pipeline: Pipeline, given: Inside<typeof documents>, options: Inside<typeof ingestOptions> = {}) =>
    timed(() => ingest(context, pipeline, given, options)),
  retrieve: (context: Context, pipeline: Pipeline, given: Inside<typeof query>) =>
    timed(async () => {
      const asked = typeof given === 'string' ? { query: given } : given;
      return { chunks: chunksFor(context, pipeline, await retrieve(context, pipeline, asked), asked.neighbors), query: asked.query };
    }),
  converse: (context: Context, pipeline: Pipeline, session: string, given: Inside<typeof conversational>) =>
    timed(async () => {
      const asked = typeof given === 'string' ? { query: given } : given;
      const hits = await retrieve(context, pipeline, asked, await conversationOf(context, session, asked));
      return { chunks: chunksFor(context, pipeline, hits, asked.neighbors), query: asked.query, ...contextFor(context, pipeline, hits, asked.max_tokens) };
    }),
  answer: (context: Context, pipeline: Pipeline, given: Inside<typeof question>) =>
    timed(async () => {
      const asked = typeof given === 'string' ? { query: given } : given;
      const { session_id, neighbors } = typeof given === 'string' ? { session_id: undefined, neighbors: undefined } : given;
      const widen = session_id === undefined ? undefined : await conversationOf(context, session_id, asked);
      const { hits, citations, quotations, ...rest } = await answer(context, pipeline, asked, widen);
      return {
        ...rest,
        chunks: chunksFor(context, pipeline, hits, neighbors),
        citations: citationsFor(context, pipeline, citations),
        quotations: quotationsFor(context, pipeline, quotations),
      };
    }),
};

const FERRY = {
  lua: 'RAG.ingest_documents("global", {{content = "The ferry leaves at noon. It takes forty minutes.", metadata = {document_id = "ferry", kind = "timetable"}}})\n',
  javascript:
    'RAG.ingest_documents("global", [{content: "The ferry leaves at noon. It takes forty minutes.", metadata: {document_id: "ferry", kind: "timetable"}}])\n',
};
const example = (lua: string, javascript: string) => [{ lua: FERRY.lua + lua, javascript: FERRY.javascript + javascript }];
const HANDLE = { lua: `${FERRY.lua}local rag = RAG.create()\n`, javascript: `${FERRY.javascript}const rag = RAG.create()\n` };
const handleExample = (lua: string, javascript: string) => [{ lua: HANDLE.lua + lua, javascript: HANDLE.javascript + javascript }];

const of = (context: Context, scope: string) => pipelineOf(context, knowledgeTenant(context, scope));
const behind = (context: Context, self: RagHandle) => openPipeline(context, self.tenant, self.spec);

/** Documents that answer questions. */
export const ragGlobal = defineGlobal({
  name: 'RAG',
  doc: 'Retrieval: documents are cut into chunks, embedded and indexed; questions find the chunks that bear on them, by words and by vectors. A knowledge base belongs to a tenant and has a name (`main`); it keeps its embedding model and metric from the first ingest. Every document is stored whole or not at all, and what is the same again is skipped.',
  methods: {
    create: method({
      doc: "Sets a pipeline up and gives its handle, whose methods are those below without the scope. The run's later calls by scope use it too. Nothing is stored before the first ingest.",
      params: { spec: spec.optional() },
      result: handle(RAG_HANDLE),
      effect: 'write',
      examples: [
        {
          lua: `local rag = RAG.create({chunking = {strategy = "markdown", chunk_size = 256, overlap = 32}})\nprint(rag:ingest_documents({{content = "# Ferry\\n\\nIt leaves at noon."}}).chunks_created)`,
          javascript: `const rag = RAG.create({chunking: {strategy: "markdown", chunk_size: 256, overlap: 32}})\nprint(rag.ingest_documents([{content: "# Ferry\\n\\nIt leaves at noon."}]).chunks_created)`,
        },
      ],
      handler: ({ spec: given = {} }, context) => {
        const { tenant_id, name: base = 'main', chunking, embedding_provider, vector_storage: { distance_metric, ...vectors } = {} } = given;
        if (tenant_id !== undefined) requireTenant(context, tenant_id);
        toChunking(chunking, context.method);
        const spec = { tenant: tenant_id, name: base, chunking, embedder: embedding_provider, storage: { ...vectors, metric: distance_metric } };
        setUp(context, spec);
        return { tenant: tenant_id ?? context.run.tenant, spec };
      },
    }),
    ingest_documents: method({
      doc: 'Stores documents: each is `content`, a `file_path` (a folder or a pattern such as `docs/**/*.md` stands for its files) or a `url`, with metadata of your own; `metadata.document_id` names it, and the same id replaces the older version. A document that cannot be read fails alone and is listed.',
      params: { scope, documents, options: ingestOptions.optional() },
      result: ingestion,
      effect: 'external',
      examples: [
        {
          lua: `local done = RAG.ingest_documents("global", {{content = "The ferry leaves at noon.", metadata = {document_id = "ferry"}}})\nprint(done.documents, done.chunks_created)`,
          javascript: `const done = RAG.ingest_documents("global", [{content: "The ferry leaves at noon.", metadata: {document_id: "ferry"}}])\nprint(done.documents, done.chunks_created)`,
        },
      ],
      handler: ({ scope, documents, options }, context) => operations.ingest(context, of(context, scope), documents, options),
    }),
    retrieve: method({
      doc: "The chunks that answer a query best. `mode` is hybrid (keywords and vectors, fused), vector or keyword; filters compare metadata by equality or `$gt $gte $lt $lte $ne $in $nin $exists $and $or $not`; `similarity_threshold` bounds the vectors' similarity, whose scale is the embedding model's own.",
      params: { scope, query },
      result: retrieved,
      effect: 'external',
      examples: example(
        `print(RAG.retrieve("global", {query = "When does the ferry leave?", top_k = 1}).chunks[1].content)`,
        `print(RAG.retrieve("global", {query: "When does the ferry leave?", top_k: 1}).chunks[0].content)`,
      ),
      handler: ({ scope, query }, context) => operations.retrieve(context, of(context, scope), query),
    }),
    retrieve_with_context: method({
      doc: 'Like retrieve, for a question in a conversation: the last turns of the session join the query, and chunks that mention what they mention are boosted. `context` is the text for a model: numbered passages within `max_tokens`, which `citations` point to.',
      params: { scope, session_id: z.string(), query: conversational },
      result: withContext,
      effect: 'external',
      examples: example(
        `local session = Session.current_id()\nSession.add_turn(session, {role = "user", content = "Tell me about the ferry."})\nprint(RAG.retrieve_with_context("global", session, "How long does it take?").context)`,
        `const session = Session.current_id()\nSession.add_turn(session, {role: "user", content: "Tell me about the ferry."})\nprint(RAG.retrieve_with_context("global", session, "How long does it take?").context)`,
      ),
      handler: ({ scope, session_id, query }, context) => operations.converse(context, of(context, scope), session_id, query),
    }),
    answer: method({
      doc: 'Retrieves, lets a model answer from the passages, and looks every quotation up: `quotations` say where each stands, and one that no source has is marked in the answer as not found. With `session_id` the last turns join the query.',
      params: { scope, question },
      result: answered,
      effect: 'external',
      examples: example(`print(RAG.answer("global", "When does the ferry leave?").output)`, `print(RAG.answer("global", "When does the ferry leave?").output)`),
      handler: ({ scope, question }, context) => operations.answer(context, of(context, scope), question),
    }),
    get_document: method({
      doc: 'A stored document with its text, nil when there is none. Offsets of chunks point into the text.',
      params: { scope, document_id: z.string() },
      result: info.extend({ content: z.string() }).nullable(),
      effect: 'read',
      examples: example(`print(RAG.get_document("global", "ferry").content)`, `print(RAG.get_document("global", "ferry").content)`),
      handler: ({ scope, document_id }, context) => getDocument(of(context, scope), document_id),
    }),
    list_documents: method({
      doc: 'The documents, ordered by id.',
      params: { scope, options: listing.optional() },
      result: z.array(info),
      effect: 'read',
      examples: example(
        `print(RAG.list_documents("global", {metadata_filters = {kind = "timetable"}})[1].document_id)`,
        `print(RAG.list_documents("global", {metadata_filters: {kind: "timetable"}})[0].document_id)`,
      ),
      handler: ({ scope, options }, context) => listDocuments(of(context, scope), options),
    }),
    delete_documents: method({
      doc: 'Deletes documents by id or by a filter over their metadata; says how many there were.',
      params: { scope, which },
      result: z.int(),
      effect: 'write',
      examples: example(
        `print(RAG.delete_documents("global", {document_ids = {"ferry", "unknown"}}))`,
        `print(RAG.delete_documents("global", {document_ids: ["ferry", "unknown"]}))`,
      ),
      handler: ({ scope, which }, context) => deleteDocuments(context, of(context, scope), which),
    }),
    get_stats: method({
      doc: 'How much there is.',
      params: { scope },
      result: stats,
      effect: 'read',
      examples: example(`print(RAG.get_stats("global").document_count)`, `print(RAG.get_stats("global").document_count)`),
      handler: ({ scope }, context) => statsOf(context, of(context, scope)),
    }),
    rebuild: method({
      doc: 'Makes the vector index anew from the stored vectors, off the main thread; searches go on meanwhile.',
      params: { scope, on_progress: callback('(done: number, total: number) => any').optional() },
      result: z.void(),
      effect: 'write',
      examples: example(
        `RAG.rebuild("global")\nprint(RAG.get_stats("global").index.state)`,
        `RAG.rebuild("global")\nprint(RAG.get_stats("global").index.state)`,
      ),
      handler: ({ scope, on_progress }, context) => rebuild(context, of(context, scope), on_progress),
    }),
    cleanup_tenant: method({
      doc: 'Removes everything of a tenant: knowledge, State, sessions, artifacts, files. The run needs the tenant and the grant state:admin.',
      params: { scope },
      result: z.boolean(),
      effect: 'write',
      needs: 'state:admin',
      examples: [{ lua: `RAG.cleanup_tenant("global")`, javascript: `RAG.cleanup_tenant("global")` }],
      handler: ({ scope }, context) => cleanUp(context, knowledgeTenant(context, scope)),
    }),
  },
  handles: [
    defineHandle<RagHandle>({
      type: RAG_HANDLE,
      doc: 'A retrieval pipeline: the methods of RAG without the scope.',
      methods: {
        ingest_documents: handleMethod<RagHandle>()({
          doc: 'As RAG.ingest_documents.',
          params: { documents, options: ingestOptions.optional() },
          result: ingestion,
          effect: 'external',
          examples: handleExample(
            `print(rag:ingest_documents({{content = "Bread is sold at the harbour."}}).documents)`,
            `print(rag.ingest_documents([{content: "Bread is sold at the harbour."}]).documents)`,
          ),
          handler: ({ self, documents, options }, context) => operations.ingest(context, behind(context, self), documents, options),
        }),
        retrieve: handleMethod<RagHandle>()({
          doc: 'As RAG.retrieve.',
          params: { query },
          result: retrieved,
          effect: 'external',
          examples: handleExample(`print(rag:retrieve("the ferry").chunks[1].document_id)`, `print(rag.retrieve("the ferry").chunks[0].document_id)`),
          handler: ({ self, query }, context) => operations.retrieve(context, behind(context, self), query),
        }),
        retrieve_with_context: handleMethod<RagHandle>()({
          doc: 'As RAG.retrieve_with_context.',
          params: { session_id: z.string(), query: conversational },
          result: withContext,
          effect: 'external',
          examples: handleExample(
            `print(rag:retrieve_with_context(Session.current_id(), "the ferry").citations[1].document_id)`,
            `print(rag.retrieve_with_context(Session.current_id(), "the ferry").citations[0].document_id)`,
          ),
          handler: ({ self, session_id, query }, context) => operations.converse(context, behind(context, self), session_id, query),
        }),
        answer: handleMethod<RagHandle>()({
          doc: 'As RAG.answer.',
          params: { question },
          result: answered,
          effect: 'external',
          examples: handleExample(`print(rag:answer("How long does the ferry take?").output)`, `print(rag.answer("How long does the ferry take?").output)`),
          handler: ({ self, question }, context) => operations.answer(context, behind(context, self), question),
        }),
        get_document: handleMethod<RagHandle>()({
          doc: 'As RAG.get_document.',
          params: { document_id: z.string() },
          result: info.extend({ content: z.string() }).nullable(),
          effect: 'read',
          examples: handleExample(`print(rag:get_document("ferry").version)`, `print(rag.get_document("ferry").version)`),
          handler: ({ self, document_id }, context) => getDocument(behind(context, self), document_id),
        }),
        list_documents: handleMethod<RagHandle>()({
          doc: 'As RAG.list_documents.',
          params: { options: listing.optional() },
          result: z.array(info),
          effect: 'read',
          examples: handleExample(`print(#rag:list_documents())`, `print(rag.list_documents().length)`),
          handler: ({ self, options }, context) => listDocuments(behind(context, self), options),
        }),
        delete_documents: handleMethod<RagHandle>()({
          doc: 'As RAG.delete_documents.',
          params: { which },
          result: z.int(),
          effect: 'write',
          examples: handleExample(
            `print(rag:delete_documents({metadata_filters = {kind = "timetable"}}))`,
            `print(rag.delete_documents({metadata_filters: {kind: "timetable"}}))`,
          ),
          handler: ({ self, which }, context) => deleteDocuments(context, behind(context, self), which),
        }),
        get_stats: handleMethod<RagHandle>()({
          doc: 'As RAG.get_stats.',
          params: {},
          result: stats,
          effect: 'read',
          examples: handleExample(`print(rag:get_stats().chunk_count)`, `print(rag.get_stats().chunk_count)`),
          handler: ({ self }, context) => statsOf(context, behind(context, self)),
        }),
        rebuild: handleMethod<RagHandle>()({
          doc: 'As RAG.rebuild.',
          params: { on_progress: callback('(done: number, total: number) => any').optional() },
          result: z.void(),
          effect: 'write',
          examples: handleExample(`rag:rebuild()`, `rag.rebuild()`),
          handler: ({ self, on_progress }, context) => rebuild(context, behind(context, self), on_progress),
        }),
      },
    }),
  ],
});
