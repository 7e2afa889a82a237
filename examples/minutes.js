// Makes minutes from the notes of a meeting: three questions are asked side by side, the answers are data and are kept for the next meeting.
//   llmspell run --allow-read . examples/minutes.js notes.txt
// Runs offline on examples/data/meeting.txt; with a language model: --model anthropic/claude-haiku-4-5
const { content } = Tool.execute('file_read', { path: ARGS[0] ?? 'data/meeting.txt' });
const notes = content.match(/[^\n]+/g).map((text) => ({ text }));

const QUESTIONS = { decisions: 'What was decided?', tasks: 'Who will write or call?', open: 'What is still open?' };

const secretary = Agent.create({
  name: 'secretary',
  model: 'local/extractive',
  system_prompt: 'List what the notes say on the question, each point as one sentence; nothing else.',
  output_schema: { type: 'object', properties: { points: { type: 'array', items: { type: 'string' } } }, required: ['points'] },
});

const steps = Object.entries(QUESTIONS).map(([name, prompt]) => ({ name, agent: secretary, prompt, options: { context: '$input' }, retries: 1 }));
const minutes = Workflow.parallel({ name: 'minutes', steps }).execute(notes).output;

State.save('custom:minutes', 'last', minutes);
for (const name of Object.keys(QUESTIONS)) {
  print(name[0].toUpperCase() + name.slice(1));
  for (const point of minutes[name].points) print(`- ${point}`);
}
