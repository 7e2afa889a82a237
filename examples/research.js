// Finds what a folder of documents says about a question and answers with quotations. Runs offline.
//   llmspell run --allow-read docs examples/research.js "How is an endless script stopped?"
const question = ARGS.length > 0 ? ARGS.join(' ') : 'How is a script that never ends stopped?';

const COMMON = new Set(
  'a an and are as at be by can do does for from has have how i if in is it its of on or that the their this to was what when where which who why will with you'.split(
    ' ',
  ),
);

const termsOf = (text) =>
  (text.toLowerCase().match(/[\w]+/g) ?? [])
    .filter((word) => word.length > 2 && !COMMON.has(word))
    .map((word) => word.replace(/s$/, '').replace(/ed$/, '').replace(/ing$/, ''));

// A tool of the script's own, made of two that come with the runtime: the paragraphs that bear on a question, best first.
Tool.register({
  name: 'find_passages',
  description: "Finds the paragraphs of a folder's documents that bear on a question",
  parameters: {
    type: 'object',
    properties: { question: { type: 'string' }, limit: { type: 'integer' } },
    required: ['question'],
  },
  handler: (params) => {
    const terms = termsOf(params.question);
    const files = new Set();
    for (const pattern of ['**/*.md', '**/*.txt', '*.md', '*.txt']) {
      for (const entry of Tool.execute('file_list', { recursive: true, pattern }).entries) files.add(entry.path);
    }
    const paragraphs = [];
    for (const path of [...files].sort()) {
      const text = Tool.execute('file_read', { path }).content.replace(/```[\s\S]*?```/g, '');
      for (const paragraph of text.split(/\n\s*\n/)) {
        if (!/^[#|]/.test(paragraph) && paragraph.length > 60) paragraphs.push({ path, text: paragraph, lower: paragraph.toLowerCase() });
      }
    }
    const weight = {}; // rare words tell more
    for (const term of terms) weight[term] = Math.log(1 + paragraphs.length / (1 + paragraphs.filter((one) => one.lower.includes(term)).length));
    const found = paragraphs
      .map(({ path, text, lower }) => ({ path, text, score: terms.reduce((sum, term) => sum + (lower.includes(term) ? weight[term] : 0), 0) }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score);
    return { passages: found.slice(0, params.limit ?? 12), files: files.size, paragraphs: paragraphs.length };
  },
});

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

const skipped = [];
Event.subscribe('workflow.research.step.*.failed', (event) => {
  skipped.push(event.payload);
});

const workflow = Workflow.sequential({
  name: 'research',
  steps: [
    { name: 'search', tool: 'find_passages', input: { question: '$input.question', limit: 12 } },
    // No search service is configured on a fresh machine; the research goes on without it.
    { name: 'web', tool: 'web_search', input: { query: '$input.question' }, on_error: 'continue' },
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

const { search, answer, keep } = result.outputs;
const metrics = State.load('global', 'metrics');
print(`Question   ${question}`);
print(`Read       ${search.files} documents, ${search.paragraphs} paragraphs; ${search.passages.length} bear on it`);
for (const step of skipped) print(`Skipped    ${step.step}: ${step.message.replace(/;.*/, '')}`);
print('');
print(answer);
print('');
print(
  `${keep.asked} questions so far, ${(metrics.ms / metrics.answers).toFixed(0)} ms for each answer on average, ${Math.floor(result.duration_ms)} ms for this run of the workflow`,
);
