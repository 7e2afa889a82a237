// Chats with a folder of documents: each question is understood from what was said before, each answer quotes its sources.
//   llmspell run examples/chat.js [question …]
//   llmspell run --session library examples/chat.js "May I renew it?"   goes on with an earlier conversation
const questions = ARGS.length > 0 ? [...ARGS] : ['For how many weeks may a film be kept?', 'Can it be renewed?', 'What do late returns cost?'];

const rag = RAG.create({ name: 'library', chunking: { chunk_size: 80, overlap: 0 } });
rag.ingest_documents([{ file_path: 'data/library' }]);
const session = Session.current_id();

for (const question of questions) {
  // With the session, what the last turns mention counts too: "it" is the film.
  const found = rag.retrieve_with_context(session, { query: question, top_k: 3, conversation_memory_turns: 4, context_boost: 1.5 });
  const answer = Agent.execute({
    name: 'librarian',
    model: 'local/extractive',
    system_prompt: 'Answer from the numbered passages only and cite them like [1].',
    prompt: question,
    context: found.context,
  });
  Session.add_turn(session, { role: 'user', content: question });
  Session.add_turn(session, { role: 'assistant', content: answer.output });
  print(`> ${question}`);
  print(answer.output);
  for (const { number, source, heading } of found.citations) print(`  [${number}] ${source}, ${heading}`);
  print('');
}
print(`${Session.get_turns(session).length} turns in this conversation`);
