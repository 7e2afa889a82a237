-- Chats with a folder of documents: each question is understood from what was said before, each answer quotes its sources.
--   llmspell run examples/chat.lua [question …]
--   llmspell run --session library examples/chat.lua "May I renew it?"   goes on with an earlier conversation
local questions = #ARGS > 0 and { table.unpack(ARGS) }
  or { "For how many weeks may a film be kept?", "Can it be renewed?", "What do late returns cost?" }

local rag = RAG.create({ name = "library", chunking = { chunk_size = 80, overlap = 0 } })
rag:ingest_documents({ { file_path = "data/library" } })
local session = Session.current_id()

for _, question in ipairs(questions) do
  -- With the session, what the last turns mention counts too: "it" is the film.
  local found = rag:retrieve_with_context(session, { query = question, top_k = 3, conversation_memory_turns = 4, context_boost = 1.5 })
  local answer = Agent.execute({
    name = "librarian",
    model = "local/extractive",
    system_prompt = "Answer from the numbered passages only and cite them like [1].",
    prompt = question,
    context = found.context,
  })
  Session.add_turn(session, { role = "user", content = question })
  Session.add_turn(session, { role = "assistant", content = answer.output })
  print("> " .. question)
  print(answer.output)
  for _, citation in ipairs(found.citations) do print(("  [%d] %s, %s"):format(citation.number, citation.source, citation.heading)) end
  print("")
end
print(#Session.get_turns(session) .. " turns in this conversation")
