// Reviews a git diff: simple rules find places, an agent tells what the team's guidelines say about each.
//   git diff > change.diff && llmspell run --allow-read . examples/review.js change.diff
// Runs offline on examples/data; with a model that judges by itself: --model anthropic/claude-sonnet-4-5
const read = (path) => Tool.execute('file_read', { path }).content;
const diff = read(ARGS[0] ?? 'data/change.diff');
const guidelines = read('data/guidelines.md');

const RULES = [
  { what: 'secret key', pattern: /sk-[a-z]+-\w+/i },
  { what: 'console.log debug output', pattern: /console\.log/ },
  { what: 'TODO', pattern: /TODO/ },
  { what: 'loose equality comparison', pattern: /[^=!]==[^=]/ },
];

const findings = [];
let file;
let line = 0;
for (const text of diff.split('\n').filter((one) => one !== '')) {
  file = /^\+\+\+ b\/(.+)/.exec(text)?.[1] ?? file;
  const start = /^@@ .*?\+(\d+)/.exec(text);
  if (start) line = Number(start[1]) - 1;
  if (/^[ +]/.test(text)) line++;
  for (const { what, pattern } of /^\+[^+]/.test(text) ? RULES : []) {
    if (pattern.test(text)) findings.push({ place: `${file}:${line}`, what, code: text.slice(1).trim() });
  }
}

const reviewer = Agent.create({
  name: 'reviewer',
  model: 'local/extractive',
  keep_history: false,
  system_prompt: 'Say what the guidelines ask for, in one sentence.',
});
const review = Workflow.map({
  name: 'review',
  items: '$input',
  step: {
    name: 'judge',
    agent: reviewer,
    prompt: 'What about a $loop.value.what?',
    options: { context: guidelines, output_schema: { type: 'object', properties: { quote: { type: 'string' } }, required: ['quote'] } },
  },
});

review.execute(findings).output.forEach(({ quote }, i) => {
  const { place, what, code } = findings[i];
  print(`${place}  ${what}\n  ${code}\n  > ${quote}`);
});
print(`${findings.length} findings`);
