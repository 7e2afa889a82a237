-- Writes release notes from commit messages: conventional commits are grouped, a template makes the page, an agent finds what breaks.
--   git log --oneline v1.0..HEAD > commits.txt && llmspell run --allow-read . examples/release-notes.lua commits.txt 1.1.0
-- Runs offline on examples/data; with a language model: --model openai/gpt-4o
local commits = Tool.execute("file_read", { path = ARGS[1] or "data/commits.txt" }).content
local version = ARGS[2] or "1.1.0"

local groups = { feat = JSON.array({}), fix = JSON.array({}) }
local breaking = {}
for line in commits:gmatch("[^\n]+") do
  local kind, rest = line:match("^%x+ (%a+)(.*)$")
  local area, mark, text = (rest or ""):match("^%(?([%w-]*)%)?(!?): (.+)$")
  if groups[kind] then table.insert(groups[kind], { area = area, text = text }) end
  if mark == "!" then breaking[#breaking + 1] = text .. "." end
end

local TEMPLATE = [[
# {{ version }}
{% if warning != "" %}
> {{ warning }}
{% endif %}
## New
{% for one in feat %}
- {{ one.area }}: {{ one.text }}{% endfor %}

## Mended
{% for one in fix %}
- {{ one.area }}: {{ one.text }}{% endfor %}
]]

local notes = Workflow.sequential({
  name = "notes",
  steps = {
    {
      name = "warn",
      agent = Agent.create({ name = "editor", model = "local/extractive", system_prompt = "Say in one sentence what users must do." }),
      prompt = "What must scripts do?",
      options = { context = "$input.breaking", output_schema = { type = "object", properties = { quote = { type = "string" } } } },
      when = function(ctx) return ctx.input.breaking ~= "" end,
      on_error = "continue",
    },
    { name = "page", handler = function(ctx)
      local data = { version = version, feat = groups.feat, fix = groups.fix, warning = type(ctx.warn) == "table" and ctx.warn.quote or "" }
      return Tool.execute("template", { template = TEMPLATE, variables = data }).text
    end },
    { name = "write", tool = "file_write", input = { path = "release-notes.md", content = "$page.output" } },
  },
})

local done = notes:execute({ breaking = table.concat(breaking, "\n") })
print(done.outputs.page)
print(("%d new, %d mended, written to %s"):format(#groups.feat, #groups.fix, done.outputs.write.path))
