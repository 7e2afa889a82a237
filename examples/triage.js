// Sorts an inbox: an agent gives each mail a label of a fixed list, urgent ones come first, and State remembers what was seen.
//   llmspell run examples/triage.js [inbox.json]
// Runs offline on examples/data; with a language model: --model openai/gpt-4o-mini
const mails = JSON.parse(Tool.execute('file_read', { path: ARGS[0] ?? 'data/inbox.json' }).content);
const URGENCY = { outage: 1, invoice: 2, meeting: 3, newsletter: 4 };

const clerk = Agent.create({
  name: 'clerk',
  model: 'local/extractive',
  keep_history: false,
  system_prompt: 'Choose the label that fits the mail.',
  output_schema: {
    type: 'object',
    properties: { label: { enum: ['outage', 'invoice', 'meeting', 'newsletter'] } },
    required: ['label'],
  },
});

const triage = Workflow.map({
  name: 'triage',
  items: '$input',
  max_concurrency: 4,
  step: { name: 'label', agent: clerk, prompt: 'Summarize.', options: { context: '$loop.value.subject. $loop.value.body' }, retries: 1 },
});

triage.execute(mails).output.forEach(({ label }, i) => {
  mails[i].label = label;
});
mails.sort((a, b) => URGENCY[a.label] - URGENCY[b.label] || (a.subject < b.subject ? -1 : 1));

for (const { from, subject, label } of mails) {
  const key = Tool.execute('hash', { data: from + subject }).hash.slice(0, 16);
  const seen = State.exists('custom:inbox', key);
  State.save('custom:inbox', key, { label });
  print(`${label.padEnd(10)}  ${subject.padEnd(12)}  ${from.padEnd(24)}  ${seen ? 'seen' : 'new'}`);
}
