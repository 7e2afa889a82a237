// Watches a log file: each line becomes an event, handlers count and alert, and an agent says what went wrong.
//   llmspell run --allow-read /var/log/myapp examples/log-watch.js server.log
// Runs offline on examples/data/server.log; with a language model: --model openai/gpt-4o-mini
const log = Tool.execute('file_read', { path: ARGS[0] ?? 'data/server.log' }).content;

const counts = {};
const errors = [];
Event.subscribe('log.*.error', ({ payload: { service, text } }) => {
  errors.push({ service, text });
  counts[service] = (counts[service] ?? 0) + 1;
  if (counts[service] === 3) Event.emit('alert.raised', { service, errors: 3 });
});
Event.subscribe('log.*.warn', ({ payload: { service, text } }) => print(`warning  ${service}: ${text}`));
Event.subscribe('alert.raised', ({ payload: { service, errors: count } }) => {
  print(`alert    ${service} has ${count} errors`);
  State.increment('custom:alerts', service);
});

for (const line of log.split('\n')) {
  const [, level, service, text] = /^\S+ ([A-Z]+) (\S+) (.+)$/.exec(line) ?? [];
  if (level) Event.emit(`log.${service}.${level.toLowerCase()}`, { service, text });
}
Event.flush();

for (const service of Object.keys(counts).sort((a, b) => counts[b] - counts[a])) print(`${service.padEnd(8)} ${counts[service]} errors`);

const lines = errors.map(({ service, text }) => `[${service}] ${text}.`);
const operator = Agent.create({ name: 'operator', model: 'local/extractive', system_prompt: 'Name the causes in the errors, not their effects.' });
print(operator.execute({ prompt: 'What expired or is full?', context: lines.join('\n\n') }).output);
print(`${Event.history({ pattern: 'log.**' }).length} events, ${Event.stats().delivered} deliveries`);
