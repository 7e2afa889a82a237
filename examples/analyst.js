// Answers questions about a table: the sums are computed here, an agent only finds the right ones and quotes them.
//   llmspell run examples/analyst.js "How much did the South sell?"
// Runs offline on examples/data/sales.csv; with a language model: --model openai/gpt-4o
const question = ARGS[0] ?? 'Which region has the highest revenue?';
const { rows } = Tool.execute('csv', { path: 'data/sales.csv' });

const sums = (column) => {
  const by = {};
  for (const row of rows) {
    by[row[column]] ??= { name: row[column], units: 0, revenue: 0 };
    by[row[column]].units += row.units;
    by[row[column]].revenue += row.units * row.price;
  }
  return Object.values(by).sort((a, b) => b.revenue - a.revenue);
};

const facts = [];
for (const column of ['region', 'product', 'month']) {
  print(column);
  sums(column).forEach(({ name, units, revenue }, at) => {
    print(`  ${name.padEnd(10)} ${String(units).padStart(5)} units ${String(revenue).padStart(7)} euros`);
    const place = at === 0 ? 'the highest' : `number ${at + 1} in`;
    facts.push(`The ${column} ${name} sold ${units} units and has ${place} revenue of all ${column}s, ${revenue} euros.`);
  });
}

const analyst = Agent.create({
  name: 'analyst',
  model: 'local/extractive',
  system_prompt: 'Answer from the given facts only; never compute.',
  output_schema: { type: 'object', properties: { evidence: { type: 'string' } }, required: ['evidence'] },
});
const answer = analyst.execute({ prompt: question, context: facts.join('\n\n') });
print(question);
print(`  ${answer.output.evidence}`);
