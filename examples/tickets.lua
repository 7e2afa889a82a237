-- Routes support tickets: a composite agent hands each to the specialist whose description fits, who answers from the handbook.
--   llmspell run examples/tickets.lua
-- Runs offline on examples/data; with a language model: --model openai/gpt-4o-mini
local handbook = Tool.execute("file_read", { path = "data/handbook.md" }).content
local tickets = JSON.parse(Tool.execute("file_read", { path = "data/tickets.json" }).content)

local function specialist(name, description)
  return Agent.create({
    name = name,
    description = description,
    model = "local/extractive",
    keep_history = false,
    system_prompt = "You answer support tickets from the handbook, in one or two sentences.",
    output_schema = { type = "object", properties = { quote = { type = "string" } }, required = { "quote" } },
  })
end

local support = Agent.create_composite({
  name = "support",
  strategy = "route",
  agents = {
    specialist("billing", "refund, invoice, card, paid"),
    specialist("technical", "app, crashes, error, start, install"),
    specialist("sales", "plan, upgrade, price, cost, team, schools"),
  },
  budget = { max_tokens_total = 20000 },
})

local answered
Event.subscribe("agent.*.completed", function(event)
  if event.payload.name ~= "support" then answered = event.payload.name end
end)

for _, ticket in ipairs(tickets) do
  local answer = support:execute({ prompt = ticket.text, context = handbook })
  State.save("custom:tickets", tostring(ticket.id), { by = answered, answer = answer.output.quote })
  print(("#%d %s\n  %s: %s"):format(ticket.id, ticket.text, answered, answer.output.quote))
end
for _, agent in ipairs(Agent.get_hierarchy("support").members) do
  print(("%-10s %d answered"):format(agent.name, Agent.get_details(agent.name).metrics.executions))
end
