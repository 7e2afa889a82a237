-- Finds what a folder of documents says about a question and answers with quotations. Runs offline.
--   llmspell run --allow-read docs examples/research.lua "How is an endless script stopped?"
local question = #ARGS > 0 and table.concat(ARGS, " ") or "How is a script that never ends stopped?"

local COMMON = {}
for word in ("a an and are as at be by can do does for from has have how i if in is it its of on or that the their this to was what when where which who why will with you"):gmatch("%a+") do
  COMMON[word] = true
end

local function terms_of(text)
  local terms = {}
  for word in text:lower():gmatch("[%w_]+") do
    if #word > 2 and not COMMON[word] then terms[#terms + 1] = word:gsub("s$", ""):gsub("ed$", ""):gsub("ing$", "") end
  end
  return terms
end

-- A tool of the script's own, made of two that come with the runtime: the paragraphs that bear on a question, best first.
Tool.register({
  name = "find_passages",
  description = "Finds the paragraphs of a folder's documents that bear on a question",
  parameters = {
    type = "object",
    properties = { question = { type = "string" }, limit = { type = "integer" } },
    required = { "question" },
  },
  handler = function(params)
    local terms = terms_of(params.question)
    local files = {}
    for _, pattern in ipairs({ "**/*.md", "**/*.txt", "*.md", "*.txt" }) do
      for _, entry in ipairs(Tool.execute("file_list", { recursive = true, pattern = pattern }).entries) do files[entry.path] = true end
    end
    local paths, found, weight = {}, {}, {}
    for path in pairs(files) do paths[#paths + 1] = path end
    table.sort(paths)
    local paragraphs = {}
    for _, path in ipairs(paths) do
      local text = Tool.execute("file_read", { path = path }).content:gsub("```.-```", "")
      for paragraph in (text .. "\n\n"):gmatch("(.-)\n%s*\n") do
        if not paragraph:find("^[#|]") and #paragraph > 60 then paragraphs[#paragraphs + 1] = { path = path, text = paragraph, lower = paragraph:lower() } end
      end
    end
    for _, term in ipairs(terms) do
      local count = 0
      for _, one in ipairs(paragraphs) do if one.lower:find(term, 1, true) then count = count + 1 end end
      weight[term] = math.log(1 + #paragraphs / (1 + count)) -- rare words tell more
    end
    for _, one in ipairs(paragraphs) do
      local score = 0
      for _, term in ipairs(terms) do if one.lower:find(term, 1, true) then score = score + weight[term] end end
      if score > 0 then found[#found + 1] = { path = one.path, text = one.text, score = score } end
    end
    table.sort(found, function(a, b) return a.score > b.score end)
    local best = table.move(found, 1, math.min(#found, params.limit or 12), 1, {})
    return { passages = JSON.array(best), files = #paths, paragraphs = #paragraphs }
  end,
})

local reader = Agent.create({
  name = "reader",
  model = "local/extractive",
  system_prompt = "Answer only from the given passages, with quotations.",
})

-- The script watches itself: a hook counts what the agent does, an event tells of a step that failed.
Hook.register("agent:after_execution", function(ctx)
  State.update("global", "metrics", function(metrics)
    metrics = metrics or { answers = 0, ms = 0 }
    metrics.answers = metrics.answers + 1
    metrics.ms = metrics.ms + ctx.duration_ms
    return metrics
  end)
end)

local skipped = {}
Event.subscribe("workflow.research.step.*.failed", function(event) skipped[#skipped + 1] = event.payload end)

local workflow = Workflow.sequential({
  name = "research",
  steps = {
    { name = "search", tool = "find_passages", input = { question = "$input.question", limit = 12 } },
    -- No search service is configured on a fresh machine; the research goes on without it.
    { name = "web", tool = "web_search", input = { query = "$input.question" }, on_error = "continue" },
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

local search, metrics = result.outputs.search, State.load("global", "metrics")
print("Question   " .. question)
print(("Read       %d documents, %d paragraphs; %d bear on it"):format(search.files, search.paragraphs, #search.passages))
for _, step in ipairs(skipped) do print("Skipped    " .. step.step .. ": " .. step.message:gsub(";.*", "")) end
print("")
print(result.outputs.answer)
print("")
print(("%d questions so far, %.0f ms for each answer on average, %d ms for this run of the workflow"):format(result.outputs.keep.asked, metrics.ms / metrics.answers, math.floor(result.duration_ms)))
