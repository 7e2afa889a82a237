-- Answers questions about a table: the sums are computed here, an agent only finds the right ones and quotes them.
--   llmspell run examples/analyst.lua "How much did the South sell?"
-- Runs offline on examples/data/sales.csv; with a language model: --model openai/gpt-4o
local question = ARGS[1] or "Which region has the highest revenue?"
local rows = Tool.execute("csv", { path = "data/sales.csv" }).rows

local function sums(column)
  local by, order = {}, {}
  for _, row in ipairs(rows) do
    local name = row[column]
    if not by[name] then
      by[name] = { name = name, units = 0, revenue = 0 }
      order[#order + 1] = by[name]
    end
    by[name].units = by[name].units + row.units
    by[name].revenue = by[name].revenue + row.units * row.price
  end
  table.sort(order, function(a, b) return a.revenue > b.revenue end)
  return order
end

local facts = {}
for _, column in ipairs({ "region", "product", "month" }) do
  print(column)
  for rank, sum in ipairs(sums(column)) do
    print(("  %-10s %5d units %7d euros"):format(sum.name, sum.units, sum.revenue))
    local place = rank == 1 and "the highest" or "number " .. rank .. " in"
    facts[#facts + 1] = ("The %s %s sold %d units and has %s revenue of all %ss, %d euros."):format(column, sum.name, sum.units, place, column, sum.revenue)
  end
end

local analyst = Agent.create({
  name = "analyst",
  model = "local/extractive",
  system_prompt = "Answer from the given facts only; never compute.",
  output_schema = { type = "object", properties = { evidence = { type = "string" } }, required = { "evidence" } },
})
local answer = analyst:execute({ prompt = question, context = table.concat(facts, "\n\n") })
print(question)
print("  " .. answer.output.evidence)
