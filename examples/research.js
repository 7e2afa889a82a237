// Finds what a folder of documents says about a question and answers with quotations. Runs offline.
//   llmspell run --allow-read docs examples/research.js "How is an endless script stopped?"
const question = ARGS.length > 0 ? ARGS.join(' ') : 'How is a script that never ends stopped?';
if (question.trim() === '') throw new Error('expected a question in words, got none');

// What has not changed since the last time is skipped.
const rag = RAG.create({ name: 'research', chunking: { chunk_size: 256 } });
const known = rag.ingest_documents([{ file_path: '.' }]);
const stats = rag.get_stats();

const reader = Agent.create({
  name: 'reader',
  model: 'local/extractive',
  system_prompt: 'Answer only from the given passages, with quotations.',
});

// The script watches itself: a hook counts what the agent does, an event tells of a step that failed.
Hook.register('agent:after_execution', (ctx) => {
  State.update('global', 'metrics', (metrics) => {
    const { answers, ms } = metrics ?? { answers: 0, ms: 0 };
    return { answers: answers + 1, ms: ms + ctx.duration_ms };
  });
});
const failed = [];
Event.subscribe('workflow.research.step.*.failed', (event) => {
  failed.push(event.payload);
});

const workflow = Workflow.sequential({
  name: 'research',
  steps: [
    { name: 'search', tool: 'knowledge_search', input: { query: '$input.question', top_k: 8 } },
    // The network is closed unless --allow-net opens it; the research goes on without this page.
    { name: 'web', tool: 'web_fetch', input: { url: 'https://example.org/' }, on_error: 'continue' },
    { name: 'answer', agent: reader, prompt: '$input.question', options: { context: '$search.output.passages' } },
    {
      name: 'keep',
      handler: (ctx) => {
        const history = State.update('agent:reader', 'history', (history) => [...(history ?? []), { question: ctx.input.question, answer: ctx.answer }]);
        return { asked: history.length };
      },
    },
  ],
});

const result = workflow.execute({ question });
Event.flush();

const { answer, keep } = result.outputs;
const metrics = State.load('global', 'metrics');
print(`Question   ${question}`);
print(`Knowledge  ${stats.document_count} documents in ${stats.chunk_count} passages; ${known.documents} documents are new`);
for (const step of failed) print(`Survived   the step ${step.step}, which fails on purpose where it may not reach the network: ${step.message}`);
print('');
print(answer);
print('');
print(`Questions so far: ${keep.asked}, ${(metrics.ms / metrics.answers).toFixed(0)} ms for each answer on average`);
