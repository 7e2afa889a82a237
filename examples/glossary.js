// Checks a translation against a glossary: a tool of the script finds terms that were translated otherwise, an agent explains the rule.
//   llmspell run examples/glossary.js
// Runs offline on examples/data; with a language model that also sees inflected words: --model openai/gpt-4o
const texts = JSON.parse(Tool.execute('file_read', { path: 'data/translation.json' }).content);
const glossary = Tool.execute('csv', { path: 'data/glossary.csv' }).rows;

Tool.register({
  name: 'check_terms',
  description: 'Finds glossary terms whose translation is missing in the target text',
  parameters: {
    type: 'object',
    properties: { source: { type: 'string' }, target: { type: 'string' } },
    required: ['source', 'target'],
  },
  handler: ({ source, target }) => {
    const has = (text, part) => text.toLowerCase().includes(part.toLowerCase());
    const missing = glossary.filter(({ term, translation }) => has(source, term) && !has(target, translation));
    return { missing: missing.map(({ term, translation }) => ({ term, translation })) };
  },
});

const editor = Agent.create({
  name: 'editor',
  model: 'local/extractive',
  keep_history: false,
  output_schema: { type: 'object', properties: { quote: { type: 'string' } }, required: ['quote'] },
});

const check = Workflow.map({
  name: 'check',
  items: '$input',
  step: { name: 'terms', tool: 'check_terms', input: { source: '$loop.value.source', target: '$loop.value.target' } },
});
let problems = 0;
check.execute(texts).output.forEach(({ missing }, i) => {
  for (const { term, translation } of missing) {
    problems++;
    const context = glossary.map(({ note }) => note).join('\n\n');
    const why = editor.execute({ prompt: `Why is ${term} translated as ${translation}?`, context });
    print(`${texts[i].id}: “${texts[i].target}” should contain “${translation}”\n  ${why.output.quote}`);
  }
});
print(`${texts.length} texts, ${problems} problems`);
