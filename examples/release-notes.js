// Writes release notes from commit messages: conventional commits are grouped, a template makes the page, an agent finds what breaks.
//   git log --oneline v1.0..HEAD > commits.txt && llmspell run --allow-read . examples/release-notes.js commits.txt 1.1.0
// Runs offline on examples/data; with a language model: --model openai/gpt-4o
const commits = Tool.execute('file_read', { path: ARGS[0] ?? 'data/commits.txt' }).content;
const version = ARGS[1] ?? '1.1.0';

const groups = { feat: [], fix: [] };
const breaking = [];
for (const line of commits.split('\n')) {
  const [, kind, area = '', mark, text] = /^[0-9a-f]+ (\w+)(?:\(([\w-]*)\))?(!?): (.+)$/.exec(line) ?? [];
  groups[kind]?.push({ area, text });
  if (mark === '!') breaking.push(`${text}.`);
}

const TEMPLATE = `# {{ version }}
{% if warning != "" %}
> {{ warning }}
{% endif %}
## New
{% for one in feat %}
- {{ one.area }}: {{ one.text }}{% endfor %}

## Mended
{% for one in fix %}
- {{ one.area }}: {{ one.text }}{% endfor %}
`;

const notes = Workflow.sequential({
  name: 'notes',
  steps: [
    {
      name: 'warn',
      agent: Agent.create({ name: 'editor', model: 'local/extractive', system_prompt: 'Say in one sentence what users must do.' }),
      prompt: 'What must scripts do?',
      options: { context: '$input.breaking', output_schema: { type: 'object', properties: { quote: { type: 'string' } } } },
      when: (ctx) => ctx.input.breaking !== '',
      on_error: 'continue',
    },
    {
      name: 'page',
      handler: (ctx) => Tool.execute('template', { template: TEMPLATE, variables: { version, ...groups, warning: ctx.warn?.quote ?? '' } }).text,
    },
    { name: 'write', tool: 'file_write', input: { path: 'release-notes.md', content: '$page.output' } },
  ],
});

const { page, write } = notes.execute({ breaking: breaking.join('\n') }).outputs;
print(page);
print(`${groups.feat.length} new, ${groups.fix.length} mended, written to ${write.path}`);
