-- Checks a translation against a glossary: a tool of the script finds terms that were translated otherwise, an agent explains the rule.
--   llmspell run examples/glossary.lua
-- Runs offline on examples/data; with a language model that also sees inflected words: --model openai/gpt-4o
local texts = JSON.parse(Tool.execute("file_read", { path = "data/translation.json" }).content)
local glossary = Tool.execute("csv", { path = "data/glossary.csv" }).rows

Tool.register({
  name = "check_terms",
  description = "Finds glossary terms whose translation is missing in the target text",
  parameters = {
    type = "object",
    properties = { source = { type = "string" }, target = { type = "string" } },
    required = { "source", "target" },
  },
  handler = function(params)
    local missing = JSON.array({})
    for _, term in ipairs(glossary) do
      if params.source:lower():find(term.term, 1, true) and not params.target:lower():find(term.translation:lower(), 1, true) then
        missing[#missing + 1] = { term = term.term, translation = term.translation }
      end
    end
    return { missing = missing }
  end,
})

local notes = {}
for i, term in ipairs(glossary) do notes[i] = term.note end
local editor = Agent.create({
  name = "editor",
  model = "local/extractive",
  keep_history = false,
  output_schema = { type = "object", properties = { quote = { type = "string" } }, required = { "quote" } },
})

local check = Workflow.map({ name = "check", items = "$input", step = { name = "terms", tool = "check_terms", input = { source = "$loop.value.source", target = "$loop.value.target" } } })
local problems = 0
for i, result in ipairs(check:execute(texts).output) do
  for _, miss in ipairs(result.missing) do
    problems = problems + 1
    local why = editor:execute({ prompt = ("Why is %s translated as %s?"):format(miss.term, miss.translation), context = table.concat(notes, "\n\n") })
    print(("%s: “%s” should contain “%s”\n  %s"):format(texts[i].id, texts[i].target, miss.translation, why.output.quote))
  end
end
print(("%d texts, %d problems"):format(#texts, problems))
