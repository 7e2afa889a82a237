-- Keeps the knowledge of two customers apart, answers each from its own alone, and removes one for good.
--   llmspell run --allow-tenant bakery --allow-tenant harbour examples/tenants.lua
local texts = JSON.parse(Tool.execute("file_read", { path = "data/prices.json" }).content)
local tenants = { "bakery", "harbour" }
local question = "What does it cost?"

for _, tenant in ipairs(tenants) do
  RAG.ingest_documents("tenant:" .. tenant, { { content = texts[tenant], metadata = { document_id = "prices", customer = tenant } } })
end

local answers = parallel(tenants, function(tenant) return RAG.answer("tenant:" .. tenant, question) end)
for i, tenant in ipairs(tenants) do
  print(("%s: %d document"):format(tenant, RAG.get_stats("tenant:" .. tenant).document_count))
  for _, quotation in ipairs(answers[i].quotations) do print(("  “%s” (%s)"):format(quotation.text, quotation.verified and "found in " .. quotation.document_id or "found nowhere")) end
end

-- The words of one never reach the other, whatever is asked.
print("The harbour knows of bread: " .. tostring(#RAG.retrieve("tenant:harbour", { query = "bread oven", mode = "keyword" }).chunks > 0))

-- A tenant that was not granted cannot be reached at all.
local ok, err = pcall(RAG.retrieve, "tenant:bank", "What does it cost?")
print(ok or err.message)

print("The bakery leaves: " .. tostring(RAG.cleanup_tenant("tenant:bakery")))
print(("%d and %d documents are left"):format(RAG.get_stats("tenant:bakery").document_count, RAG.get_stats("tenant:harbour").document_count))
