-- Makes minutes from the notes of a meeting: three questions are asked side by side, the answers are data and are kept for the next meeting.
--   llmspell run --allow-read . examples/minutes.lua notes.txt
-- Runs offline on examples/data/meeting.txt; with a language model: --model anthropic/claude-haiku-4-5
local notes = JSON.array({})
for line in Tool.execute("file_read", { path = ARGS[1] or "data/meeting.txt" }).content:gmatch("[^\n]+") do notes[#notes + 1] = { text = line } end

local QUESTIONS = {
  { name = "decisions", prompt = "What was decided?" },
  { name = "tasks", prompt = "Who will write or call?" },
  { name = "open", prompt = "What is still open?" },
}

local secretary = Agent.create({
  name = "secretary",
  model = "local/extractive",
  system_prompt = "List what the notes say on the question, each point as one sentence; nothing else.",
  output_schema = { type = "object", properties = { points = { type = "array", items = { type = "string" } } }, required = { "points" } },
})

local steps = {}
for i, question in ipairs(QUESTIONS) do
  steps[i] = { name = question.name, agent = secretary, prompt = question.prompt, options = { context = "$input" }, retries = 1 }
end
local minutes = Workflow.parallel({ name = "minutes", steps = steps }):execute(notes).output

State.save("custom:minutes", "last", minutes)
for _, question in ipairs(QUESTIONS) do
  print(question.name:sub(1, 1):upper() .. question.name:sub(2))
  for _, point in ipairs(minutes[question.name].points) do print("- " .. point) end
end
