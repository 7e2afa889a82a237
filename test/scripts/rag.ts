import type { Case } from '../conformance/case.ts';

const HARBOUR = {
  lua: `
RAG.ingest_documents("global", {
  {content = "The ferry to the island leaves at noon from the second pier. The crossing takes forty minutes.", metadata = {document_id = "ferry", kind = "timetable", year = 2024, tags = {"sea", "travel"}}},
  {content = "Bread is baked at dawn and sold on the market square. The baker closes on Mondays.", metadata = {document_id = "bread", kind = "shop", year = 2020}},
  {content = "The lighthouse keeper counts ships and writes their names into a book.", metadata = {document_id = "light", kind = "place", year = 2022, open = {summer = true}}}
})
`,
  js: `
RAG.ingest_documents("global", [
  {content: "The ferry to the island leaves at noon from the second pier. The crossing takes forty minutes.", metadata: {document_id: "ferry", kind: "timetable", year: 2024, tags: ["sea", "travel"]}},
  {content: "Bread is baked at dawn and sold on the market square. The baker closes on Mondays.", metadata: {document_id: "bread", kind: "shop", year: 2020}},
  {content: "The lighthouse keeper counts ships and writes their names into a book.", metadata: {document_id: "light", kind: "place", year: 2022, open: {summer: true}}}
]);
`,
};

/** A case over three small documents. */
function harbour(name: string, lua: string, js: string, rest: Omit<Case, 'name' | 'lua' | 'js'>): Case {
  return { name, lua: HARBOUR.lua + lua, js: HARBOUR.js + js, ...rest };
}

const filter = (name: string, lua: string, js: string, ids: string[]): Case =>
  harbour(
    `filters: ${name}`,
    `local ids = JSON.array({}) for _, d in ipairs(RAG.list_documents("global", {metadata_filters = ${lua}})) do ids[#ids + 1] = d.document_id end return ids`,
    `RAG.list_documents("global", {metadata_filters: ${js}}).map(d => d.document_id)`,
    { expect: ids },
  );

/** Everything of RAG that scripts see. */
export const cases: readonly Case[] = [
  harbour(
    'finds by the words of the question',
    'local found = RAG.retrieve("global", {query = "When does the ferry leave?", top_k = 1}) return {#found.chunks, found.chunks[1].document_id, found.chunks[1].metadata.kind, found.chunks[1].chunk_index, found.query}',
    'const found = RAG.retrieve("global", {query: "When does the ferry leave?", top_k: 1}); [found.chunks.length, found.chunks[0].document_id, found.chunks[0].metadata.kind, found.chunks[0].chunk_index, found.query]',
    { expect: [1, 'ferry', 'timetable', 0, 'When does the ferry leave?'] },
  ),
  harbour(
    'finds in each mode',
    'local out = {} for _, mode in ipairs({"hybrid", "vector", "keyword"}) do out[#out + 1] = RAG.retrieve("global", {query = "lighthouse keeper", mode = mode}).chunks[1].document_id end return out',
    '["hybrid", "vector", "keyword"].map(mode => RAG.retrieve("global", {query: "lighthouse keeper", mode}).chunks[0].document_id)',
    { expect: ['light', 'light', 'light'] },
  ),
  harbour(
    'keeps only what is similar enough',
    'return {#RAG.retrieve("global", {query = "lighthouse keeper", similarity_threshold = 0.99}).chunks, #RAG.retrieve("global", {query = "lighthouse keeper", similarity_threshold = -1}).chunks}',
    '[RAG.retrieve("global", {query: "lighthouse keeper", similarity_threshold: 0.99}).chunks.length, RAG.retrieve("global", {query: "lighthouse keeper", similarity_threshold: -1}).chunks.length]',
    { expect: [0, 3] },
  ),
  harbour(
    'offsets show the chunk in its document',
    'local chunk = RAG.retrieve("global", "ferry").chunks[1] return RAG.get_document("global", "ferry").content:sub(chunk.offset.start, chunk.offset.stop) == chunk.content',
    'const chunk = RAG.retrieve("global", "ferry").chunks[0]; RAG.get_document("global", "ferry").content.slice(chunk.offset.start, chunk.offset.stop) === chunk.content',
    { expect: true },
  ),
  {
    name: 'offsets count as the language does behind letters of several bytes',
    lua: 'local rag = RAG.create({name = "u", chunking = {strategy = "sentence", chunk_size = 10, overlap = 0}}) rag:ingest_documents({{content = "Größe über alles. 日本語の文。 The needle stands here, at last.", metadata = {document_id = "u"}}}) local chunk = rag:retrieve("needle").chunks[1] return rag:get_document("u").content:sub(chunk.offset.start, chunk.offset.stop) == chunk.content',
    js: 'const rag = RAG.create({name: "u", chunking: {strategy: "sentence", chunk_size: 10, overlap: 0}}); rag.ingest_documents([{content: "Größe über alles. 日本語の文。 The needle stands here, at last.", metadata: {document_id: "u"}}]); const chunk = rag.retrieve("needle").chunks[0]; rag.get_document("u").content.slice(chunk.offset.start, chunk.offset.stop) === chunk.content',
    expect: true,
  },
  filter('equality', '{kind = "shop"}', '{kind: "shop"}', ['bread']),
  filter('comparison', '{year = {["$gte"] = 2022}}', '{year: {$gte: 2022}}', ['ferry', 'light']),
  filter('a range', '{year = {["$gt"] = 2020, ["$lt"] = 2024}}', '{year: {$gt: 2020, $lt: 2024}}', ['light']),
  filter('in', '{kind = {["$in"] = {"shop", "place"}}}', '{kind: {$in: ["shop", "place"]}}', ['bread', 'light']),
  filter('not in', '{kind = {["$nin"] = {"shop", "place"}}}', '{kind: {$nin: ["shop", "place"]}}', ['ferry']),
  filter('unequal', '{kind = {["$ne"] = "shop"}}', '{kind: {$ne: "shop"}}', ['ferry', 'light']),
  filter('exists', '{tags = {["$exists"] = true}}', '{tags: {$exists: true}}', ['ferry']),
  filter('an element of an array', '{tags = "sea"}', '{tags: "sea"}', ['ferry']),
  filter('a nested field', '{["open.summer"] = true}', '{"open.summer": true}', ['light']),
  filter('or', '{["$or"] = {{kind = "shop"}, {year = 2024}}}', '{$or: [{kind: "shop"}, {year: 2024}]}', ['bread', 'ferry']),
  filter('and with not', '{["$and"] = {{year = {["$gte"] = 2020}}, {["$not"] = {kind = "shop"}}}}', '{$and: [{year: {$gte: 2020}}, {$not: {kind: "shop"}}]}', [
    'ferry',
    'light',
  ]),
  harbour(
    'a filter narrows a search',
    'local ids = JSON.array({}) for _, chunk in ipairs(RAG.retrieve("global", {query = "the ferry", metadata_filters = {kind = "shop"}}).chunks) do ids[#ids + 1] = chunk.document_id end return ids',
    'RAG.retrieve("global", {query: "the ferry", metadata_filters: {kind: "shop"}}).chunks.map(chunk => chunk.document_id)',
    { expect: ['bread'] },
  ),
  harbour(
    'the same again is skipped, a change is a new version',
    'local same = RAG.ingest_documents("global", {{content = "Bread is baked at dawn and sold on the market square. The baker closes on Mondays.", metadata = {document_id = "bread", kind = "shop", year = 2020}}}) local changed = RAG.ingest_documents("global", {{content = "The bakery is gone.", metadata = {document_id = "bread"}}}) return {same.skipped, same.documents, changed.documents, RAG.get_document("global", "bread").version, RAG.get_stats("global").document_count, #RAG.retrieve("global", {query = "market square", mode = "keyword"}).chunks}',
    'const same = RAG.ingest_documents("global", [{content: "Bread is baked at dawn and sold on the market square. The baker closes on Mondays.", metadata: {document_id: "bread", kind: "shop", year: 2020}}]); const changed = RAG.ingest_documents("global", [{content: "The bakery is gone.", metadata: {document_id: "bread"}}]); [same.skipped, same.documents, changed.documents, RAG.get_document("global", "bread").version, RAG.get_stats("global").document_count, RAG.retrieve("global", {query: "market square", mode: "keyword"}).chunks.length]',
    { expect: [1, 0, 1, 2, 3, 0] },
  ),
  harbour(
    'deletes by id and by filter',
    'return {RAG.delete_documents("global", {document_ids = {"ferry", "nowhere"}}), RAG.delete_documents("global", {metadata_filters = {kind = "shop"}}), RAG.get_stats("global").document_count, RAG.get_document("global", "ferry") == nil}',
    '[RAG.delete_documents("global", {document_ids: ["ferry", "nowhere"]}), RAG.delete_documents("global", {metadata_filters: {kind: "shop"}}), RAG.get_stats("global").document_count, RAG.get_document("global", "ferry") === null]',
    { expect: [1, 1, 1, true] },
  ),
  harbour(
    'reranks',
    'return RAG.retrieve("global", {query = "how many minutes does the crossing take", rerank = true}).chunks[1].document_id',
    'RAG.retrieve("global", {query: "how many minutes does the crossing take", rerank: true}).chunks[0].document_id',
    { expect: 'ferry' },
  ),
  {
    name: 'neighbours join what surrounds a chunk',
    lua: 'local rag = RAG.create({chunking = {strategy = "sentence", chunk_size = 12, overlap = 0}}) rag:ingest_documents({{content = "First comes the mill. Then stands the needle in the hay. Last comes the barn.", metadata = {document_id = "d"}}}) local chunk = rag:retrieve({query = "needle", top_k = 1, neighbors = 1}).chunks[1] return {chunk.content:find("mill") == nil, chunk.surrounding:find("mill") ~= nil, chunk.surrounding:find("barn") ~= nil}',
    js: 'const rag = RAG.create({chunking: {strategy: "sentence", chunk_size: 12, overlap: 0}}); rag.ingest_documents([{content: "First comes the mill. Then stands the needle in the hay. Last comes the barn.", metadata: {document_id: "d"}}]); const chunk = rag.retrieve({query: "needle", top_k: 1, neighbors: 1}).chunks[0]; [!chunk.content.includes("mill"), chunk.surrounding.includes("mill"), chunk.surrounding.includes("barn")]',
    expect: [true, true, true],
  },
  harbour(
    'a conversation joins the query',
    'local session = Session.create({}) Session.add_turn(session, {role = "user", content = "Tell me about the ferry to the island."}) local plain = RAG.retrieve("global", {query = "And how long does it take?", top_k = 1, mode = "keyword"}) local found = RAG.retrieve_with_context("global", session, {query = "And how long does it take?", top_k = 1, conversation_memory_turns = 5, context_boost = 1.2}) return {found.chunks[1].document_id, found.context:sub(1, 9), found.citations[1].number}',
    'const session = Session.create({}); Session.add_turn(session, {role: "user", content: "Tell me about the ferry to the island."}); const found = RAG.retrieve_with_context("global", session, {query: "And how long does it take?", top_k: 1, conversation_memory_turns: 5, context_boost: 1.2}); [found.chunks[0].document_id, found.context.slice(0, 9), found.citations[0].number]',
    { expect: ['ferry', '[1] ferry', 1] },
  ),
  harbour(
    'answers with quotations that it looked up',
    'local answer = RAG.answer("global", "When does the ferry leave?") local quotation = answer.quotations[1] return {answer.output:find("noon") ~= nil, quotation.verified, quotation.document_id, RAG.get_document("global", "ferry").content:sub(quotation.offset.start, quotation.offset.stop):find("leaves at noon") ~= nil}',
    'const answer = RAG.answer("global", "When does the ferry leave?"); const quotation = answer.quotations[0]; [answer.output.includes("noon"), quotation.verified, quotation.document_id, RAG.get_document("global", "ferry").content.slice(quotation.offset.start, quotation.offset.stop).includes("leaves at noon")]',
    { expect: [true, true, 'ferry', true] },
  ),
  harbour(
    'marks a quotation that no source has',
    'local answer = RAG.answer("global", {query = "When does the ferry leave?", model = "mock/script"}) return {answer.output, answer.quotations[1].verified, answer.quotations[2].verified}',
    'const answer = RAG.answer("global", {query: "When does the ferry leave?", model: "mock/script"}); [answer.output, answer.quotations[0].verified, answer.quotations[1].verified]',
    {
      config: { models: { mock: { responses: ['It says "leaves at noon from the second pier" [1] and "leaves at midnight, never earlier" [1].'] } } },
      expect: ['It says "leaves at noon from the second pier" [1] and "leaves at midnight, never earlier" [not found in the sources] [1].', true, false],
    },
  ),
  harbour(
    'a quotation that is too long is not looked up',
    'local answer = RAG.answer("global", {query = "When does the ferry leave?", model = "mock/script"}) return {answer.output:sub(-60), #answer.quotations, answer.quotations[1].verified, answer.quotations[2].verified}',
    'const answer = RAG.answer("global", {query: "When does the ferry leave?", model: "mock/script"}); [answer.output.slice(-60), answer.quotations.length, answer.quotations[0].verified, answer.quotations[1].verified]',
    {
      config: { models: { mock: { responses: [`"${'leaves at noon '.repeat(200)}" and "leaves at noon from the second pier".`] } } },
      expect: ['noon " [not looked up] and "leaves at noon from the second pier".'.slice(-60), 2, false, true],
    },
  ),
  {
    name: 'says when there is nothing to answer from',
    lua: 'local answer = RAG.answer("global", "Anything?") return {answer.output, #answer.quotations, #RAG.retrieve("global", "anything").chunks}',
    js: 'const answer = RAG.answer("global", "Anything?"); [answer.output, answer.quotations.length, RAG.retrieve("global", "anything").chunks.length]',
    expect: ['The knowledge base has nothing on this question.', 0, 0],
  },
  {
    name: 'bases by name hold different things',
    lua: 'local a = RAG.create({name = "a"}) local b = RAG.create({name = "b"}) a:ingest_documents({{content = "about apples"}}) b:ingest_documents({{content = "about pears"}}) return {a:retrieve("apples pears").chunks[1].content, #a:list_documents(), b:retrieve("apples pears").chunks[1].content, a.name}',
    js: 'const a = RAG.create({name: "a"}), b = RAG.create({name: "b"}); a.ingest_documents([{content: "about apples"}]); b.ingest_documents([{content: "about pears"}]); [a.retrieve("apples pears").chunks[0].content, a.list_documents().length, b.retrieve("apples pears").chunks[0].content, a.name]',
    expect: ['about apples', 1, 'about pears', 'a'],
  },
  harbour(
    'another metric than the stored one is refused',
    'RAG.create({vector_storage = {distance_metric = "l2"}}) RAG.retrieve("global", "ferry")',
    'RAG.create({vector_storage: {distance_metric: "l2"}}); RAG.retrieve("global", "ferry")',
    { expect_error: { code: 'CONFLICT', message: /RAG\.retrieve: distance_metric: the knowledge base main has vectors of cosine, not l2/ } },
  ),
  harbour(
    'documents are listed and deleted whatever model is wanted, and then the base takes that model',
    'local rag = RAG.create({embedding_provider = "local/hash"}) local refused = select(2, pcall(rag.retrieve, rag, "ferry")).code local ids = {} for i, one in ipairs(rag:list_documents()) do ids[i] = one.document_id end rag:delete_documents({document_ids = ids}) rag:ingest_documents({{content = "new"}}) local stats = rag:get_stats() return {refused, stats.document_count, stats.embedding_provider}',
    'const rag = RAG.create({embedding_provider: "local/hash"}); let refused; try { rag.retrieve("ferry") } catch (err) { refused = err.code } rag.delete_documents({document_ids: rag.list_documents().map(one => one.document_id)}); rag.ingest_documents([{content: "new"}]); const stats = rag.get_stats(); [refused, stats.document_count, stats.embedding_provider]',
    { expect: ['CONFLICT', 1, 'local/hash'] },
  ),
  {
    name: 'a bad document fails alone',
    lua: 'local done = RAG.ingest_documents("global", {{content = "good"}, {file_path = "nowhere.md"}, {}}) return {done.documents, #done.failed, done.failed[1].index, done.failed[2].index}',
    js: 'const done = RAG.ingest_documents("global", [{content: "good"}, {file_path: "nowhere.md"}, {}]); [done.documents, done.failed.length, done.failed[0].index, done.failed[1].index]',
    expect: [1, 2, expect_index(1), expect_index(2)],
  },
  {
    name: 'reports progress to a function',
    lua: 'local last RAG.ingest_documents("global", {{content = "one"}, {content = "two"}}, {on_progress = function(done, total) last = {done, total} end}) return last',
    js: 'let last; RAG.ingest_documents("global", [{content: "one"}, {content: "two"}], {on_progress: (done, total) => { last = [done, total] }}); last',
    expect: [2, 2],
  },
  {
    name: 'another tenant needs the grant',
    lua: 'RAG.retrieve("tenant:other", "x")',
    js: 'RAG.retrieve("tenant:other", "x")',
    expect_error: { code: 'NOT_ALLOWED', message: /RAG\.retrieve: this run may not reach the tenant other \(grants\.tenants or --allow-tenant other\)/ },
  },
  {
    name: 'tenants that were granted are apart',
    grants: { tenants: ['acme', 'bolt'] },
    lua: 'RAG.ingest_documents("tenant:acme", {{content = "the secret of acme"}}) return {#RAG.retrieve("tenant:acme", "secret").chunks, #RAG.retrieve("tenant:bolt", "secret").chunks, #RAG.retrieve("global", "secret").chunks}',
    js: 'RAG.ingest_documents("tenant:acme", [{content: "the secret of acme"}]); [RAG.retrieve("tenant:acme", "secret").chunks.length, RAG.retrieve("tenant:bolt", "secret").chunks.length, RAG.retrieve("global", "secret").chunks.length]',
    expect: [1, 0, 0],
  },
  {
    name: 'cleans a tenant up',
    grants: { tenants: ['acme'] },
    lua: 'RAG.ingest_documents("tenant:acme", {{content = "the secret of acme"}}) return {RAG.cleanup_tenant("tenant:acme"), RAG.get_stats("tenant:acme").document_count, RAG.cleanup_tenant("tenant:acme")}',
    js: 'RAG.ingest_documents("tenant:acme", [{content: "the secret of acme"}]); [RAG.cleanup_tenant("tenant:acme"), RAG.get_stats("tenant:acme").document_count, RAG.cleanup_tenant("tenant:acme")]',
    expect: [true, 0, expect_any()],
  },
  harbour(
    'web_search looks into the knowledge where no service is configured, and says so',
    'local found = Tool.execute("web_search", {query = "lighthouse keeper", limit = 1}) return {found.source, #found.results, found.results[1].url, found.results[1].snippet:find("counts ships") ~= nil, found.note == nil}',
    'const found = Tool.execute("web_search", {query: "lighthouse keeper", limit: 1}); [found.source, found.results.length, found.results[0].url, found.results[0].snippet.includes("counts ships"), found.note === undefined]',
    { expect: ['knowledge', 1, 'light', true, true] },
  ),
  {
    name: 'web_search says that there is no knowledge either',
    lua: 'local found = Tool.execute("web_search", {query = "lighthouse keeper"}) return {found.source, #found.results, found.note:match("^no search service is configured"), found.note:match("hold nothing on this$")}',
    js: 'const found = Tool.execute("web_search", {query: "lighthouse keeper"}); [found.source, found.results.length, /^no search service is configured/.exec(found.note)[0], /hold nothing on this$/.exec(found.note)[0]]',
    expect: ['knowledge', 0, 'no search service is configured', 'hold nothing on this'],
  },
  {
    name: 'another embedding model stands in',
    config: { models: { embedding_override: 'local/hash' } },
    lua: 'local rag = RAG.create({embedding_provider = "openai/text-embedding-ada-002"}) rag:ingest_documents({{content = "The ferry leaves at noon."}}) return {rag:get_stats().embedding_provider, rag:retrieve("ferry").chunks[1].content}',
    js: 'const rag = RAG.create({embedding_provider: "openai/text-embedding-ada-002"}); rag.ingest_documents([{content: "The ferry leaves at noon."}]); [rag.get_stats().embedding_provider, rag.retrieve("ferry").chunks[0].content]',
    expect: ['local/hash', 'The ferry leaves at noon.'],
  },
  {
    name: 'a hook may change the documents of an ingest, which are checked again',
    lua: `Hook.register("rag:before_ingest", function(ctx)
  if ctx.input.documents[1].content == "bad" then return {input = {documents = {{contents = "x"}}}} end
  for _, document in ipairs(ctx.input.documents) do document.content = document.content:gsub("secret", "***") end
  return {input = {documents = ctx.input.documents}}
end)
local seen Hook.register("rag:after_ingest", function(ctx) seen = ctx.output.documents end)
RAG.ingest_documents("global", {{content = "a secret", metadata = {document_id = "a"}}})
RAG.ingest_documents("global", {{content = "bad", metadata = {document_id = "b"}}})
return {RAG.get_document("global", "a").content, RAG.get_document("global", "b").content, seen}`,
    js: `Hook.register("rag:before_ingest", ctx => {
  if (ctx.input.documents[0].content === "bad") return {input: {documents: [{contents: "x"}]}}
  return {input: {documents: ctx.input.documents.map(one => ({...one, content: one.content.replace("secret", "***")}))}}
})
let seen; Hook.register("rag:after_ingest", ctx => { seen = ctx.output.documents })
RAG.ingest_documents("global", [{content: "a secret", metadata: {document_id: "a"}}]);
RAG.ingest_documents("global", [{content: "bad", metadata: {document_id: "b"}}]);
[RAG.get_document("global", "a").content, RAG.get_document("global", "b").content, seen]`,
    expect: ['a ***', 'bad', 1],
  },
  {
    name: 'what a hook must not give stops an ingest whose hook may not fail',
    lua: 'Hook.register("rag:before_ingest", function() return {input = {documents = {{contents = "x"}}}} end, {on_error = "fail"}) RAG.ingest_documents("global", {{content = "a"}})',
    js: 'Hook.register("rag:before_ingest", () => ({input: {documents: [{contents: "x"}]}}), {on_error: "fail"}); RAG.ingest_documents("global", [{content: "a"}])',
    expect_error: { message: /RAG\.ingest_documents: the hook's input\.documents\[\d\]: unknown option "contents"; did you mean "content"/ },
  },
  harbour(
    'a hook may leave chunks out, change their text and name others',
    `Hook.register("rag:after_retrieve", function(ctx)
  return {output = {{document_id = "bread", chunk_index = 0, content = "[hidden]", score = 2}, {document_id = ctx.output[1].document_id, chunk_index = 0, content = ctx.output[1].content, score = 1}}}
end)
local chunks = RAG.retrieve("global", {query = "lighthouse keeper", top_k = 3}).chunks
return {#chunks, chunks[1].document_id, chunks[1].content, chunks[1].metadata.kind, chunks[2].document_id, chunks[2].similarity ~= nil}`,
    `Hook.register("rag:after_retrieve", ctx => ({output: [{document_id: "bread", chunk_index: 0, content: "[hidden]", score: 2}, {document_id: ctx.output[0].document_id, chunk_index: 0, content: ctx.output[0].content, score: 1}]}))
const chunks = RAG.retrieve("global", {query: "lighthouse keeper", top_k: 3}).chunks;
[chunks.length, chunks[0].document_id, chunks[0].content, chunks[0].metadata.kind, chunks[1].document_id, chunks[1].similarity !== undefined]`,
    { expect: [2, 'bread', '[hidden]', 'shop', 'light', true] },
  ),
  harbour(
    'a hook that names a chunk that is not there is reported and changes nothing',
    'Hook.register("rag:after_retrieve", function() return {output = {{document_id = "nowhere", chunk_index = 0, content = "x"}}} end) return RAG.retrieve("global", {query = "lighthouse keeper", top_k = 1}).chunks[1].document_id',
    'Hook.register("rag:after_retrieve", () => ({output: [{document_id: "nowhere", chunk_index: 0, content: "x"}]})); RAG.retrieve("global", {query: "lighthouse keeper", top_k: 1}).chunks[0].document_id',
    { expect: 'light' },
  ),
  harbour(
    'a hook may answer in place of a retrieval, and skip an ingest',
    `Hook.register("rag:before_retrieve", function() return {skip = true, output = {{document_id = "bread", chunk_index = 0, content = "kept"}}} end)
Hook.register("rag:before_ingest", function() return {skip = true} end)
local done = RAG.ingest_documents("global", {{content = "x"}, {content = "y"}})
return {RAG.retrieve("global", "ferry").chunks[1].content, done.documents, done.skipped}`,
    `Hook.register("rag:before_retrieve", () => ({skip: true, output: [{document_id: "bread", chunk_index: 0, content: "kept"}]}))
Hook.register("rag:before_ingest", () => ({skip: true}))
const done = RAG.ingest_documents("global", [{content: "x"}, {content: "y"}]);
[RAG.retrieve("global", "ferry").chunks[0].content, done.documents, done.skipped]`,
    { expect: ['kept', 0, 2] },
  ),
  {
    name: 'failures are events, and hooks hear of them',
    lua: `local heard = {} Event.subscribe("rag.error", function(event) heard[#heard + 1] = {event.payload.name, event.payload.code} end)
Event.subscribe("rag.*.failed", function(event) heard[#heard + 1] = event.event_type end)
Hook.register("rag:error", function(ctx) heard[#heard + 1] = ctx.error.code end)
pcall(RAG.retrieve, "global", " ") Event.flush() return heard`,
    js: `const heard = []; Event.subscribe("rag.error", event => { heard.push([event.payload.name, event.payload.code]) })
Event.subscribe("rag.*.failed", event => { heard.push(event.event_type) })
Hook.register("rag:error", ctx => { heard.push(ctx.error.code) })
try { RAG.retrieve("global", " ") } catch {}
Event.flush(); heard`,
    expect: ['BAD_ARGUMENT', 'rag.main.failed', ['main', 'BAD_ARGUMENT']],
  },
  {
    name: 'events tell how an ingest goes on, counting each file of a pattern',
    lua: `for i = 1, 3 do Tool.execute("file_write", {path = "many-" .. i .. ".txt", content = "text " .. i}) end
local last, types = nil, {}
Event.subscribe("rag.main.ingest.*", function(event)
  if event.event_type == "rag.main.ingest.progress" then last = event.payload else types[#types + 1] = event.event_type end
end)
local heard
local done = RAG.ingest_documents("global", {{file_path = "many-*.txt"}, {content = "one more"}}, {on_progress = function(done, total) heard = {done, total} end})
Event.flush() return {types, last.done, last.total, heard, done.documents}`,
    js: `for (const i of [1, 2, 3]) Tool.execute("file_write", {path: "many-" + i + ".txt", content: "text " + i})
let last, heard; const types = []
Event.subscribe("rag.main.ingest.*", event => {
  if (event.event_type === "rag.main.ingest.progress") last = event.payload; else types.push(event.event_type)
})
const done = RAG.ingest_documents("global", [{file_path: "many-*.txt"}, {content: "one more"}], {on_progress: (done, total) => { heard = [done, total] }})
Event.flush(); [types, last.done, last.total, heard, done.documents]`,
    expect: [['rag.main.ingest.started', 'rag.main.ingest.completed'], 4, 4, [4, 4], 4],
  },
  {
    name: 'what a progress function throws comes out of the ingest, whose documents stay',
    lua: 'local mark = {} local ok, err = pcall(RAG.ingest_documents, "global", {{content = "one"}}, {on_progress = function() error(mark) end}) return {ok, rawequal(err, mark), RAG.get_stats("global").document_count}',
    js: 'const mark = {}; let err; try { RAG.ingest_documents("global", [{content: "one"}], {on_progress() { throw mark }}) } catch (e) { err = e }; [err === undefined, err === mark, RAG.get_stats("global").document_count]',
    expect: [false, true, 1],
  },
  {
    name: 'a tenant that is full says so, and keeps what it has',
    config: { rag: { max_documents: 2 } },
    lua: 'local ok, err = pcall(RAG.ingest_documents, "global", {{content = "one"}, {content = "two"}, {content = "three"}}) return {ok, err.code, err.message, RAG.get_stats("global").document_count}',
    js: 'let err; try { RAG.ingest_documents("global", [{content: "one"}, {content: "two"}, {content: "three"}]) } catch (e) { err = e }; [err === undefined, err.code, err.message, RAG.get_stats("global").document_count]',
    expect: [false, 'LIMIT_EXCEEDED', 'RAG.ingest_documents: the tenant default has rag.max_documents = 2 already', 2],
  },
  {
    name: 'the megabytes of a tenant are bounded over all its bases',
    config: { rag: { max_mb: 0.1 } },
    lua: 'RAG.create({name = "a"}):ingest_documents({{content = ("word "):rep(8000)}}) local ok, err = pcall(function() RAG.create({name = "b"}):ingest_documents({{content = ("other "):rep(8000)}}) end) return {ok, err.code, err.message}',
    js: 'RAG.create({name: "a"}).ingest_documents([{content: "word ".repeat(8000)}]); let err; try { RAG.create({name: "b"}).ingest_documents([{content: "other ".repeat(8000)}]) } catch (e) { err = e }; [err === undefined, err.code, err.message]',
    expect: [false, 'LIMIT_EXCEEDED', 'RagPipeline:ingest_documents: the knowledge of the tenant default would be larger than rag.max_mb = 0.1'],
  },
  {
    name: 'metadata has bounds, and a document beyond them fails alone',
    lua: `local many = {} for i = 1, 5000 do many[i] = i % 10 end
local result = RAG.ingest_documents("global", {{content = "one", metadata = {text = ("x"):rep(70000)}}, {content = "two", metadata = {many = many}}, {content = "three", metadata = {text = ("x"):rep(60000)}}})
return {result.documents, result.failed[1].error, result.failed[2].error}`,
    js: `const many = Array.from({length: 5000}, (_, i) => i % 10);
const result = RAG.ingest_documents("global", [{content: "one", metadata: {text: "x".repeat(70000)}}, {content: "two", metadata: {many}}, {content: "three", metadata: {text: "x".repeat(60000)}}]);
[result.documents, result.failed[0].error, result.failed[1].error]`,
    expect: [
      1,
      'RAG.ingest_documents: metadata: expected at most 65536 bytes, got 70011',
      'RAG.ingest_documents: metadata: expected at most 4096 values, got 5001',
    ],
  },
  {
    name: 'offsets are right far behind signs of two units',
    lua: `local text = "a" .. ("😀 b. "):rep(6000) RAG.ingest_documents("global", {{content = text}})
local chunks, same = RAG.retrieve("global", {query = "b", top_k = 1000, mode = "keyword"}).chunks, 0
for _, c in ipairs(chunks) do if text:sub(c.offset.start, c.offset.stop) == c.content then same = same + 1 end end return {#chunks > 20, same == #chunks}`,
    js: `const text = "a" + "😀 b. ".repeat(6000); RAG.ingest_documents("global", [{content: text}]);
const {chunks} = RAG.retrieve("global", {query: "b", top_k: 1000, mode: "keyword"});
[chunks.length > 20, chunks.every(({offset, content}) => text.slice(offset.start, offset.stop) === content)]`,
    expect: [true, true],
  },
  {
    name: 'a cancelled ingest leaves whole documents',
    lua: `local documents = {} for i = 1, 3000 do documents[i] = {content = "document " .. i .. (" some words"):rep(100), metadata = {document_id = "d" .. i}} end
local ok = pcall(parallel, {
  function() RAG.ingest_documents("global", documents) end,
  function() repeat sleep(1) until RAG.get_stats("global").document_count > 5 error("enough") end
})
local count = RAG.get_stats("global").document_count
return {ok, count > 5 and count < 3000, #RAG.list_documents("global", {limit = 10000}) == RAG.get_stats("global").document_count}`,
    js: `const documents = Array.from({length: 3000}, (_, i) => ({content: "document " + i + " some words".repeat(100), metadata: {document_id: "d" + i}}))
let ok = true
try {
  parallel([
    () => RAG.ingest_documents("global", documents),
    () => { do sleep(1); while (RAG.get_stats("global").document_count <= 5); throw new Error("enough") }
  ])
} catch { ok = false }
const count = RAG.get_stats("global").document_count;
[ok, count > 5 && count < 3000, RAG.list_documents("global", {limit: 10000}).length === RAG.get_stats("global").document_count]`,
    expect: [false, true, true],
  },
  {
    name: 'files that are not what their names say fail alone',
    lua: `Tool.execute("file_write", {path = "a.pdf", content = "no PDF"}) Tool.execute("file_write", {path = "b.txt", content = "%PDF-1.7 no text"}) Tool.execute("file_write", {path = "c.md", content = "# Good"})
local done = RAG.ingest_documents("global", {{file_path = "*.*"}})
local errors = {} for i, one in ipairs(done.failed) do errors[i] = {one.source, one.error:match("it is not what its name says") ~= nil} end
return {done.documents, errors}`,
    js: `Tool.execute("file_write", {path: "a.pdf", content: "no PDF"}); Tool.execute("file_write", {path: "b.txt", content: "%PDF-1.7 no text"}); Tool.execute("file_write", {path: "c.md", content: "# Good"})
const done = RAG.ingest_documents("global", [{file_path: "*.*"}]);
[done.documents, done.failed.map(one => [one.source, one.error.includes("it is not what its name says")])]`,
    expect: [
      1,
      [
        ['a.pdf', true],
        ['b.txt', true],
      ],
    ],
  },
  ...bad('an empty query', '"global", "  "', /RAG\.retrieve: query: expected some words/),
  ...bad('a scope that is none', '"user:x", "y"', /RAG\.retrieve: scope: expected "global" or tenant:ID/),
  ...bad('a hostile tenant', '"tenant:../../etc", "y"', /RAG\.retrieve: scope: expected "global" or tenant:ID/),
  {
    name: 'refuses an unknown operator',
    lua: 'RAG.list_documents("global", {metadata_filters = {year = {["$gr"] = 1}}})',
    js: 'RAG.list_documents("global", {metadata_filters: {year: {$gr: 1}}})',
    expect_error: { code: 'BAD_ARGUMENT', message: /RAG\.list_documents: metadata_filters\.year\.\$gr: .*\$gt/ },
  },
  {
    name: 'refuses an unknown chunker',
    lua: 'RAG.create({chunking = {strategy = "semantics"}})',
    js: 'RAG.create({chunking: {strategy: "semantics"}})',
    expect_error: { code: 'BAD_ARGUMENT', message: /RAG\.create: chunking\.strategy: unknown "semantics"; did you mean "semantic"/ },
  },
  {
    name: 'hooks change, refuse and see a retrieval',
    lua: `${HARBOUR.lua}Hook.register("rag:before_retrieve", function(ctx) if ctx.input.query == "forbidden" then return {continue_execution = false, reason = "no"} end return {input = {query = "lighthouse keeper"}} end)
local seen Hook.register("rag:after_retrieve", function(ctx) seen = #ctx.output end)
local ok, err = pcall(RAG.retrieve, "global", "forbidden")
return {RAG.retrieve("global", {query = "bread", top_k = 1}).chunks[1].document_id, seen, err.code}`,
    js: `${HARBOUR.js}Hook.register("rag:before_retrieve", ctx => ctx.input.query === "forbidden" ? {continue_execution: false, reason: "no"} : {input: {query: "lighthouse keeper"}})
let seen; Hook.register("rag:after_retrieve", ctx => { seen = ctx.output.length })
let err; try { RAG.retrieve("global", "forbidden") } catch (e) { err = e };
[RAG.retrieve("global", {query: "bread", top_k: 1}).chunks[0].document_id, seen, err.code]`,
    expect: ['light', 1, 'HOOK_REJECTED'],
  },
  ...[
    ['retrieve', 'RAG.retrieve("global", words)'],
    ['answer', 'RAG.answer("global", words)'],
    ['retrieve_with_context', 'RAG.retrieve_with_context("global", Session.current_id(), words)'],
  ].map(([name, call]) => ({
    name: `${name} refuses a query of more than 100,000 characters, given as a text`,
    lua: `local words = ("word "):rep(20001) return ${call}`,
    js: `const words = "word ".repeat(20001); ${call}`,
    expect_error: { code: 'BAD_ARGUMENT', message: /100000 characters|100,000/ } as const,
  })),
];

function expect_index(at: number) {
  return { asymmetricMatch: (value: unknown) => value === at || value === at + 1 };
}

function expect_any() {
  return { asymmetricMatch: (value: unknown) => typeof value === 'boolean' };
}

function bad(name: string, args: string, message: RegExp): Case[] {
  return [{ name: `refuses ${name}`, lua: `RAG.retrieve(${args})`, js: `RAG.retrieve(${args})`, expect_error: { code: 'BAD_ARGUMENT', message } }];
}
