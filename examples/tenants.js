// Keeps the knowledge of two customers apart, answers each from its own alone, and removes one for good.
//   llmspell run --allow-tenant bakery --allow-tenant harbour examples/tenants.js
const texts = JSON.parse(Tool.execute('file_read', { path: 'data/prices.json' }).content);
const tenants = ['bakery', 'harbour'];
const question = 'What does it cost?';

for (const tenant of tenants) {
  RAG.ingest_documents(`tenant:${tenant}`, [{ content: texts[tenant], metadata: { document_id: 'prices', customer: tenant } }]);
}

const answers = parallel(tenants, (tenant) => RAG.answer(`tenant:${tenant}`, question));
for (const [i, tenant] of tenants.entries()) {
  print(`${tenant}: ${RAG.get_stats(`tenant:${tenant}`).document_count} document`);
  for (const { text, verified, document_id } of answers[i].quotations) print(`  “${text}” (${verified ? `found in ${document_id}` : 'found nowhere'})`);
}

// The words of one never reach the other, whatever is asked.
print(`The harbour knows of bread: ${RAG.retrieve('tenant:harbour', { query: 'bread oven', mode: 'keyword' }).chunks.length > 0}`);

// A tenant that was not granted cannot be reached at all.
try {
  print(RAG.retrieve('tenant:bank', 'What does it cost?'));
} catch (err) {
  print(err.message);
}

print(`The bakery leaves: ${RAG.cleanup_tenant('tenant:bakery')}`);
print(`${RAG.get_stats('tenant:bakery').document_count} and ${RAG.get_stats('tenant:harbour').document_count} documents are left`);
