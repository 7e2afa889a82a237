-- Sorts an inbox: an agent gives each mail a label of a fixed list, urgent ones come first, and State remembers what was seen.
--   llmspell run examples/triage.lua [inbox.json]
-- Runs offline on examples/data; with a language model: --model openai/gpt-4o-mini
local mails = JSON.parse(Tool.execute("file_read", { path = ARGS[1] or "data/inbox.json" }).content)
local URGENCY = { outage = 1, invoice = 2, meeting = 3, newsletter = 4 }

local clerk = Agent.create({
  name = "clerk",
  model = "local/extractive",
  keep_history = false,
  system_prompt = "Choose the label that fits the mail.",
  output_schema = {
    type = "object",
    properties = { label = { enum = { "outage", "invoice", "meeting", "newsletter" } } },
    required = { "label" },
  },
})

local triage = Workflow.map({
  name = "triage",
  items = "$input",
  max_concurrency = 4,
  step = { name = "label", agent = clerk, prompt = "Summarize.", options = { context = "$loop.value.subject. $loop.value.body" }, retries = 1 },
})

for i, answer in ipairs(triage:execute(mails).output) do mails[i].label = answer.label end
table.sort(mails, function(a, b)
  if a.label ~= b.label then return URGENCY[a.label] < URGENCY[b.label] end
  return a.subject < b.subject
end)

for _, mail in ipairs(mails) do
  local key = Tool.execute("hash", { data = mail.from .. mail.subject }).hash:sub(1, 16)
  local seen = State.exists("custom:inbox", key)
  State.save("custom:inbox", key, { label = mail.label })
  print(("%-10s  %-12s  %-24s  %s"):format(mail.label, mail.subject, mail.from, seen and "seen" or "new"))
end
