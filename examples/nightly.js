// A nightly report: compares today's numbers with those of the last run, which State keeps, and refuses to store what looks wrong.
//   llmspell run examples/nightly.js             (from cron; the second run shows changes)
// Runs offline on examples/data/metrics.csv and needs no model.
const today = Object.fromEntries(Tool.execute('csv', { path: ARGS[0] ?? 'data/metrics.csv' }).rows.map(({ name, value }) => [name, value]));

// A hook guards the history, whoever writes to it.
Hook.register(
  'state:before_save',
  ({ input: { scope, value } }) => {
    if (scope !== 'custom:nightly') return;
    for (const [name, number] of Object.entries(value.numbers ?? {})) {
      if (number < 0) return { continue_execution: false, reason: `${name} is negative` };
    }
  },
  { priority: 'high', on_error: 'fail' },
);

const report = Workflow.sequential({
  name: 'nightly',
  steps: [
    { name: 'last', handler: () => State.load('custom:nightly', 'last') ?? { runs: 0, numbers: {} } },
    {
      name: 'compare',
      handler: ({ last }) =>
        Object.keys(today)
          .sort()
          .map((name) => {
            const change = today[name] - last.numbers[name];
            const shown = last.numbers[name] === undefined ? 'new' : `${change < 0 ? '' : '+'}${change}`;
            return `${name.padEnd(10)} ${String(today[name]).padStart(6)}  ${shown}`;
          }),
    },
    {
      name: 'keep',
      handler: ({ last }) => {
        State.save('custom:nightly', 'last', { runs: last.runs + 1, numbers: today });
        return last.runs + 1;
      },
    },
  ],
});

try {
  const { outputs, output } = report.execute();
  for (const line of outputs.compare) print(line);
  print(`report ${output}`);
} catch (error) {
  print(`not stored: ${error.cause.message.split(':').at(-1)}`);
}
