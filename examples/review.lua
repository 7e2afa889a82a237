-- Reviews a git diff: simple rules find places, an agent tells what the team's guidelines say about each.
--   git diff > change.diff && llmspell run --allow-read . examples/review.lua change.diff
-- Runs offline on examples/data; with a model that judges by itself: --model anthropic/claude-sonnet-4-5
local function read(path) return Tool.execute("file_read", { path = path }).content end
local diff, guidelines = read(ARGS[1] or "data/change.diff"), read("data/guidelines.md")

local RULES = {
  { what = "secret key", pattern = "sk%-%a+%-%w+" },
  { what = "console.log debug output", pattern = "console%.log" },
  { what = "TODO", pattern = "TODO" },
  { what = "loose equality comparison", pattern = "[^=!]==[^=]" },
}

local findings, file, line = {}, nil, 0
for text in diff:gmatch("[^\n]+") do
  file = text:match("^%+%+%+ b/(.+)") or file
  local start = text:match("^@@ .-%+(%d+)")
  if start then line = tonumber(start) - 1 end
  if text:find("^[ +]") then line = line + 1 end
  for _, rule in ipairs(text:find("^%+[^+]") and RULES or {}) do
    if text:find(rule.pattern) then findings[#findings + 1] = { place = file .. ":" .. line, what = rule.what, code = text:sub(2):match("^%s*(.*)") } end
  end
end

local reviewer = Agent.create({ name = "reviewer", model = "local/extractive", keep_history = false, system_prompt = "Say what the guidelines ask for, in one sentence." })
local review = Workflow.map({
  name = "review",
  items = "$input",
  step = {
    name = "judge",
    agent = reviewer,
    prompt = "What about a $loop.value.what?",
    options = { context = guidelines, output_schema = { type = "object", properties = { quote = { type = "string" } }, required = { "quote" } } },
  },
})

for i, judgement in ipairs(review:execute(JSON.array(findings)).output) do
  print(("%s  %s\n  %s\n  > %s"):format(findings[i].place, findings[i].what, findings[i].code, judgement.quote))
end
print(#findings .. " findings")
