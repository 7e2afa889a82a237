-- Reads pages side by side and answers with citations. Arguments that begin with http are fetched, files are read.
--   llmspell run examples/web-research.lua "When do boats leave?" [page …]
--   llmspell run --allow-net en.wikipedia.org --model google/gemini-2.5-flash examples/web-research.lua "What is a spring tide?" https://en.wikipedia.org/wiki/Tide
local question = ARGS[1] or "How high does the water rise at a spring tide?"
local pages = { table.unpack(ARGS, 2) }
if #pages == 0 then pages = { "data/pages/tides.html", "data/pages/harbour.html", "data/pages/birds.html" } end

local function read(page)
  if page:find("^https?://") then
    local fetched = Tool.execute("web_fetch", { url = page })
    return { name = fetched.title or page, text = fetched.text }
  end
  local read = Tool.execute("html_text", { html = Tool.execute("file_read", { path = page }).content })
  return { name = read.title, text = read.text }
end

local sources = parallel(pages, function(page)
  local ok, source = pcall(read, page)
  if not ok then Logger.warn("a page cannot be read", { page = page, problem = tostring(source) }) end
  return ok and source or false
end, { max_concurrency = 4 })

local material = {}
for i, source in ipairs(sources) do
  if source then material[#material + 1] = ("[%d] %s\n%s"):format(i, source.name, source.text) end
end

local answer = Agent.execute({
  name = "researcher",
  model = "local/extractive",
  system_prompt = "Answer from the numbered sources only and cite them like [1].",
  prompt = question,
  context = table.concat(material, "\n\n"),
})
print(answer.output)
print("")
for i, page in ipairs(pages) do print(("[%d] %s"):format(i, page)) end
