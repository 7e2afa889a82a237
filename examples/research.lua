-- Finds what a folder of documents says about a question and answers with quotations. Runs offline.
--   llmspell run --allow-read docs examples/research.lua "How is an endless script stopped?"
local question = #ARGS > 0 and table.concat(ARGS, " ") or "How is a script that never ends stopped?"
if not question:find("%S") then error("expected a question in words, got none", 0) end

-- What has not changed since the last time is skipped.
local rag = RAG.create({ name = "research", chunking = { chunk_size = 256 } })
local known = rag:ingest_documents({ { file_path = "." } })
local stats = rag:get_stats()

local reader = Agent.create({
  name = "reader",
  model = "local/extractive",
  system_prompt = "Answer only from the given passages, with quotations.",
})

-- The script watches itself: a hook counts what the agent does, an event tells of a step that failed.
Hook.register("agent:after_execution", function(ctx)
  State.update("global", "metrics", function(metrics)
    metrics = metrics or { answers = 0, ms = 0 }
    return { answers = metrics.answers + 1, ms = metrics.ms + ctx.duration_ms }
  end)
end)
local failed = {}
Event.subscribe("workflow.research.step.*.failed", function(event) failed[#failed + 1] = event.payload end)

local workflow = Workflow.sequential({
  name = "research",
  steps = {
    { name = "search", tool = "knowledge_search", input = { query = "$input.question", top_k = 8 } },
    -- The network is closed unless --allow-net opens it; the research goes on without this page.
    { name = "web", tool = "web_fetch", input = { url = "https://example.org/" }, on_error = "continue" },
    { name = "answer", agent = reader, prompt = "$input.question", options = { context = "$search.output.passages" } },
    {
      name = "keep",
      handler = function(ctx)
        local history = State.update("agent:reader", "history", function(history)
          history = history or JSON.array({})
          history[#history + 1] = { question = ctx.input.question, answer = ctx.answer }
          return history
        end)
        return { asked = #history }
      end,
    },
  },
})

local result = workflow:execute({ question = question })
Event.flush()

local outputs, metrics = result.outputs, State.load("global", "metrics")
print("Question   " .. question)
print(("Knowledge  %d documents in %d passages; %d documents are new"):format(stats.document_count, stats.chunk_count, known.documents))
for _, step in ipairs(failed) do print(("Survived   the step %s, which fails on purpose where it may not reach the network: %s"):format(step.step, step.message)) end
print("")
print(outputs.answer)
print("")
print(("Questions so far: %d, %.0f ms for each answer on average"):format(outputs.keep.asked, metrics.ms / metrics.answers))
