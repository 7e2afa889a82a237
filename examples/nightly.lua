-- A nightly report: compares today's numbers with those of the last run, which State keeps, and refuses to store what looks wrong.
--   llmspell run examples/nightly.lua            (from cron; the second run shows changes)
-- Runs offline on examples/data/metrics.csv and needs no model.
local today = {}
for _, row in ipairs(Tool.execute("csv", { path = ARGS[1] or "data/metrics.csv" }).rows) do today[row.name] = row.value end

-- A hook guards the history, whoever writes to it.
Hook.register("state:before_save", function(ctx)
  if ctx.input.scope ~= "custom:nightly" then return end
  for name, value in pairs(ctx.input.value.numbers or {}) do
    if value < 0 then return { continue_execution = false, reason = name .. " is negative" } end
  end
end, { priority = "high", on_error = "fail" })

local report = Workflow.sequential({
  name = "nightly",
  steps = {
    { name = "last", handler = function() return State.load("custom:nightly", "last") or { runs = 0, numbers = {} } end },
    { name = "compare", handler = function(ctx)
      local lines = JSON.array({})
      local names = {}
      for name in pairs(today) do names[#names + 1] = name end
      table.sort(names)
      for _, name in ipairs(names) do
        local before = ctx.last.numbers[name]
        local change = before and ("%+d"):format(today[name] - before) or "new"
        lines[#lines + 1] = ("%-10s %6d  %s"):format(name, today[name], change)
      end
      return lines
    end },
    { name = "keep", handler = function(ctx)
      State.save("custom:nightly", "last", { runs = ctx.last.runs + 1, numbers = today })
      return ctx.last.runs + 1
    end },
  },
})

local ok, result = pcall(function() return report:execute() end)
if not ok then
  print("not stored: " .. result.cause.message:match("[^:]+$"))
else
  for _, line in ipairs(result.outputs.compare) do print(line) end
  print("report " .. result.output)
end
