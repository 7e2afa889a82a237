import type { Context } from '../call/context.ts';
import { type Args, builtinGlobal, defineHandle, handleMethod, type Method, method, type Params } from '../call/define.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { loadedOnce } from '../call/load.ts';
import { anyMap, callback, handle } from '../call/schema.ts';
import { RAG_HANDLE, type RagHandle } from '../rag/handle.ts';
import type { Pipeline } from '../rag/index.ts';
import { chunkOptions, documentInput, ingested, queryFields, words } from '../rag/schemas.ts';
import { knowledgeTenant } from '../rag/scope.ts';
import { requireTenant } from '../tenant/reach.ts';
import { z } from '../zod.ts';

const scope = z.string().describe("`global` is the knowledge of the run's own tenant, tenant:ID that of the tenant of this id, if the run may reach it");
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

async function timed<T>(work: () => Promise<T>): Promise<T & { duration_ms: number }> {
  const started = performance.now();
  return { ...(await work()), duration_ms: elapsedMs(started) };
}

const FERRY = {
  lua: 'RAG.ingest_documents("global", {{content = "The ferry leaves at noon. It takes forty minutes.", metadata = {document_id = "ferry", kind = "timetable"}}})\n',
  javascript:
    'RAG.ingest_documents("global", [{content: "The ferry leaves at noon. It takes forty minutes.", metadata: {document_id: "ferry", kind: "timetable"}}])\n',
};

/** Loaded at the first call: it is a fifth of the program, and most scripts never come to it. */
const loadRag = loadedOnce(
  () => process.getBuiltinModule('node:crypto'),
  () => import('../rag/retrieve.ts'),
  () => import('../rag/index.ts'),
);
type Rag = Awaited<ReturnType<typeof loadRag>>;

interface Operation<P extends Params, R extends z.ZodType> extends Omit<Method<P, R>, 'handler' | 'examples'> {
  /** As a call of RAG with the scope `global`, in both languages. */
  readonly example: { readonly lua: string; readonly javascript: string };
  handler(rag: Rag, pipeline: Pipeline, args: Args<P>, context: Context): z.input<R> | Promise<z.input<R>>;
}

/** A method of RAG, which takes a scope, and of its handle, which means a pipeline itself. */
function operation<const P extends Params, R extends z.ZodType>({ example, handler, params, ...rest }: Operation<P, R>) {
  const ofHandle = (text: string, call: string) => text.replaceAll(/RAG\.(\w+)\("global"(?:, )?/g, `rag${call}$1(`);
  return {
    global: method({
      ...rest,
      params: { scope, ...params },
      examples: [{ lua: FERRY.lua + example.lua, javascript: FERRY.javascript + example.javascript }],
      async handler({ scope: given, ...args }, context) {
        const tenant = knowledgeTenant(context, given as string);
        const rag = await loadRag();
        return handler(rag, rag.pipelineOf(context, tenant), args as Args<P>, context);
      },
    }),
    handle: (name: string) =>
      handleMethod<RagHandle>()({
        ...rest,
        doc: `As RAG.${name}.`,
        params,
        examples: [
          {
            lua: `${FERRY.lua}local rag = RAG.create()\n${ofHandle(example.lua, ':')}`,
            javascript: `${FERRY.javascript}const rag = RAG.create()\n${ofHandle(example.javascript, '.')}`,
          },
        ],
        async handler({ self, ...args }, context) {
          const rag = await loadRag();
          return handler(rag, rag.openPipeline(context, self.tenant, self.spec), args as Args<P>, context);
        },
      }),
  };
}

const operations = {
  ingest_documents: operation({
    doc: 'Stores documents: each is `content`, a `file_path` (a folder or a pattern such as `docs/**/*.md` stands for its files) or a `url`, with metadata of your own; `metadata.document_id` names it, and the same id replaces the older version. A document that cannot be read fails alone and is listed.',
    params: { documents: z.array(documentInput), options: ingestOptions.optional() },
    result: ingestion,
    effect: 'external',
    example: {
      lua: `local done = RAG.ingest_documents("global", {{content = "Bread is sold at the harbour.", metadata = {document_id = "bread"}}})\nprint(done.documents, done.chunks_created)`,
      javascript: `const done = RAG.ingest_documents("global", [{content: "Bread is sold at the harbour.", metadata: {document_id: "bread"}}])\nprint(done.documents, done.chunks_created)`,
    },
    handler: (rag, pipeline, { documents, options = {} }, context) => timed(() => rag.ingest(context, pipeline, documents, options)),
  }),
  retrieve: operation({
    doc: "The chunks that answer a query best. `mode` is hybrid (keywords and vectors, fused), vector or keyword; filters compare metadata by equality or `$gt $gte $lt $lte $ne $in $nin $exists $and $or $not`; `similarity_threshold` bounds the vectors' similarity, whose scale is the embedding model's own.",
    params: { query },
    result: retrieved,
    effect: 'external',
    example: {
      lua: `print(RAG.retrieve("global", {query = "When does the ferry leave?", top_k = 1}).chunks[1].content)`,
      javascript: `print(RAG.retrieve("global", {query: "When does the ferry leave?", top_k: 1}).chunks[0].content)`,
    },
    handler: (rag, pipeline, { query: given }, context) =>
      timed(async () => {
        const asked = typeof given === 'string' ? { query: given } : given;
        return { chunks: await rag.chunksFor(context, pipeline, await rag.retrieve(context, pipeline, asked), asked.neighbors), query: asked.query };
      }),
  }),
  retrieve_with_context: operation({
    doc: 'Like retrieve, for a question in a conversation: the last turns of the session join the query, and chunks that mention what they mention are boosted. `context` is the text for a model: numbered passages within `max_tokens`, which `citations` point to.',
    params: { session_id: z.string(), query: conversational },
    result: withContext,
    effect: 'external',
    example: {
      lua: `local session = Session.current_id()\nSession.add_turn(session, {role = "user", content = "Tell me about the ferry."})\nprint(RAG.retrieve_with_context("global", session, "How long does it take?").context)`,
      javascript: `const session = Session.current_id()\nSession.add_turn(session, {role: "user", content: "Tell me about the ferry."})\nprint(RAG.retrieve_with_context("global", session, "How long does it take?").context)`,
    },
    handler: (rag, pipeline, { session_id, query: given }, context) =>
      timed(async () => {
        const asked = typeof given === 'string' ? { query: given } : given;
        const hits = await rag.retrieve(context, pipeline, asked, await rag.conversationOf(context, session_id, asked));
        return {
          chunks: await rag.chunksFor(context, pipeline, hits, asked.neighbors),
          query: asked.query,
          ...rag.contextFor(context, pipeline, hits, asked.max_tokens),
        };
      }),
  }),
  answer: operation({
    doc: 'Retrieves, lets a model answer from the passages, and looks every quotation up: `quotations` say where each stands, and one that no source has is marked in the answer as not found. Quotations behind the 200th and those of more than 2,000 characters are not verified, and marked as not looked up. With `session_id` the last turns join the query.',
    params: { question },
    result: answered,
    effect: 'external',
    example: {
      lua: `print(RAG.answer("global", "When does the ferry leave?").output)`,
      javascript: `print(RAG.answer("global", "When does the ferry leave?").output)`,
    },
    handler: (rag, pipeline, { question: given }, context) =>
      timed(async () => {
        const asked = typeof given === 'string' ? { query: given } : given;
        const { session_id, neighbors } = typeof given === 'string' ? { session_id: undefined, neighbors: undefined } : given;
        const widen = session_id === undefined ? undefined : await rag.conversationOf(context, session_id, asked);
        const { hits, citations, quotations, ...rest } = await rag.answer(context, pipeline, asked, widen);
        return {
          ...rest,
          chunks: await rag.chunksFor(context, pipeline, hits, neighbors),
          citations: rag.citationsFor(context, pipeline, citations),
          quotations: rag.quotationsFor(context, pipeline, quotations),
        };
      }),
  }),
  get_document: operation({
    doc: 'A stored document with its text, nil when there is none. Offsets of chunks point into the text.',
    params: { document_id: z.string() },
    result: info.extend({ content: z.string() }).nullable(),
    effect: 'read',
    example: { lua: `print(RAG.get_document("global", "ferry").content)`, javascript: `print(RAG.get_document("global", "ferry").content)` },
    handler: (rag, pipeline, { document_id }) => rag.getDocument(pipeline, document_id),
  }),
  list_documents: operation({
    doc: 'The documents, ordered by id.',
    params: { options: listing.optional() },
    result: z.array(info),
    effect: 'read',
    example: {
      lua: `print(RAG.list_documents("global", {metadata_filters = {kind = "timetable"}})[1].document_id)`,
      javascript: `print(RAG.list_documents("global", {metadata_filters: {kind: "timetable"}})[0].document_id)`,
    },
    handler: (rag, pipeline, { options }, context) => rag.listDocuments(context, pipeline, options),
  }),
  delete_documents: operation({
    doc: 'Deletes documents by id or by a filter over their metadata; says how many there were.',
    params: { which },
    result: z.int(),
    effect: 'write',
    example: {
      lua: `print(RAG.delete_documents("global", {document_ids = {"ferry", "unknown"}}))`,
      javascript: `print(RAG.delete_documents("global", {document_ids: ["ferry", "unknown"]}))`,
    },
    handler: (rag, pipeline, { which: given }, context) => rag.deleteDocuments(context, pipeline, given),
  }),
  get_stats: operation({
    doc: 'How much there is.',
    params: {},
    result: stats,
    effect: 'read',
    example: { lua: `print(RAG.get_stats("global").document_count)`, javascript: `print(RAG.get_stats("global").document_count)` },
    handler: (rag, pipeline, _, context) => rag.statsOf(context, pipeline),
  }),
  rebuild: operation({
    doc: 'Makes the vector index anew from the stored vectors, off the main thread; searches go on meanwhile.',
    params: { on_progress: callback('(done: number, total: number) => any').optional() },
    result: z.void(),
    effect: 'write',
    example: {
      lua: `RAG.rebuild("global")\nprint(RAG.get_stats("global").index.state)`,
      javascript: `RAG.rebuild("global")\nprint(RAG.get_stats("global").index.state)`,
    },
    handler: (rag, pipeline, { on_progress }, context) => rag.rebuild(context, pipeline, on_progress),
  }),
};

/** Documents that answer questions. */
export const ragGlobal = builtinGlobal({
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
      async handler({ spec: given = {} }, context) {
        const { tenant_id, name: base = 'main', chunking, embedding_provider, vector_storage: { distance_metric, ...vectors } = {} } = given;
        if (tenant_id !== undefined) requireTenant(context, tenant_id);
        const rag = await loadRag();
        rag.toChunking(chunking, context.method);
        const spec = { tenant: tenant_id, name: base, chunking, embedder: embedding_provider, storage: { ...vectors, metric: distance_metric } };
        rag.setUp(context, spec);
        return { tenant: tenant_id ?? context.run.tenant, spec };
      },
    }),
    ...Object.fromEntries(Object.entries(operations).map(([name, made]) => [name, made.global])),
    cleanup_tenant: method({
      doc: 'Removes everything of a tenant: knowledge, State, sessions and artifacts. The run needs the tenant and the grant state:admin.',
      params: { scope },
      result: z.boolean(),
      effect: 'write',
      needs: 'state:admin',
      examples: [{ lua: `RAG.cleanup_tenant("global")`, javascript: `RAG.cleanup_tenant("global")` }],
      handler: async ({ scope }, context) => (await loadRag()).cleanUp(context, knowledgeTenant(context, scope)),
    }),
  },
  handles: [
    defineHandle<RagHandle>({
      type: RAG_HANDLE,
      doc: 'A retrieval pipeline: the methods of RAG without the scope.',
      methods: Object.fromEntries(Object.entries(operations).map(([name, made]) => [name, made.handle(name)])),
    }),
  ],
});
