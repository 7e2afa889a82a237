// Routes support tickets: a composite agent hands each to the specialist whose description fits, who answers from the handbook.
//   llmspell run examples/tickets.js
// Runs offline on examples/data; with a language model: --model openai/gpt-4o-mini
const handbook = Tool.execute('file_read', { path: 'data/handbook.md' }).content;
const tickets = JSON.parse(Tool.execute('file_read', { path: 'data/tickets.json' }).content);

const specialist = (name, description) =>
  Agent.create({
    name,
    description,
    model: 'local/extractive',
    keep_history: false,
    system_prompt: 'You answer support tickets from the handbook, in one or two sentences.',
    output_schema: { type: 'object', properties: { quote: { type: 'string' } }, required: ['quote'] },
  });

const support = Agent.create_composite({
  name: 'support',
  strategy: 'route',
  agents: [
    specialist('billing', 'refund, invoice, card, paid'),
    specialist('technical', 'app, crashes, error, start, install'),
    specialist('sales', 'plan, upgrade, price, cost, team, schools'),
  ],
  budget: { max_tokens_total: 20000 },
});

let answered;
Event.subscribe('agent.*.completed', ({ payload: { name } }) => {
  if (name !== 'support') answered = name;
});

for (const { id, text } of tickets) {
  const { quote } = support.execute({ prompt: text, context: handbook }).output;
  State.save('custom:tickets', String(id), { by: answered, answer: quote });
  print(`#${id} ${text}\n  ${answered}: ${quote}`);
}
for (const { name } of Agent.get_hierarchy('support').members) {
  print(`${name.padEnd(10)} ${Agent.get_details(name).metrics.executions} answered`);
}
