-- Watches a log file: each line becomes an event, handlers count and alert, and an agent says what went wrong.
--   llmspell run --allow-read /var/log/myapp examples/log-watch.lua server.log
-- Runs offline on examples/data/server.log; with a language model: --model openai/gpt-4o-mini
local log = Tool.execute("file_read", { path = ARGS[1] or "data/server.log" }).content

local counts, errors = {}, {}
Event.subscribe("log.*.error", function(event)
  local service = event.payload.service
  errors[#errors + 1] = { service = service, text = event.payload.text }
  counts[service] = (counts[service] or 0) + 1
  if counts[service] == 3 then Event.emit("alert.raised", { service = service, errors = 3 }) end
end)
Event.subscribe("log.*.warn", function(event) print("warning  " .. event.payload.service .. ": " .. event.payload.text) end)
Event.subscribe("alert.raised", function(event)
  print(("alert    %s has %d errors"):format(event.payload.service, event.payload.errors))
  State.increment("custom:alerts", event.payload.service)
end)

for line in log:gmatch("[^\n]+") do
  local level, service, text = line:match("^%S+ (%u+) (%S+) (.+)$")
  if level then Event.emit("log." .. service .. "." .. level:lower(), { service = service, text = text }) end
end
Event.flush()

local names = {}
for service in pairs(counts) do names[#names + 1] = service end
table.sort(names, function(a, b) return counts[a] > counts[b] end)

for _, service in ipairs(names) do print(("%-8s %d errors"):format(service, counts[service])) end

local lines = {}
for i, one in ipairs(errors) do lines[i] = ("[%s] %s."):format(one.service, one.text) end
local operator = Agent.create({ name = "operator", model = "local/extractive", system_prompt = "Name the causes in the errors, not their effects." })
print(operator:execute({ prompt = "What expired or is full?", context = table.concat(lines, "\n\n") }).output)
local stats = Event.stats()
print(("%d events, %d deliveries"):format(#Event.history({ pattern = "log.**" }), stats.delivered))
