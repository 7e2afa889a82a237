// Measures what the README claims, peers beside ours in the same run. `--json` prints one object per line, `--write` puts the table into the README.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { calls, hold, open, services, waiting } from './ours.ts';
import { quickjsEmscripten, wasmoon } from './peers.ts';
import { median, type Row, row } from './row.ts';

async function measure(): Promise<Row[]> {
  const ours = await open();
  const lua = await calls(ours, 'lua');
  const moon = await wasmoon();
  const js = await calls(ours, 'javascript');
  const quick = await quickjsEmscripten();
  const of = await services(ours);
  const rows = [
    row('new context with all globals, Lua', lua.context / 1000, 'ms', 0.6, ['wasmoon, 120 functions', moon.context / 1000]),
    row('new context with all globals, JavaScript', js.context / 1000, 'ms', 1.2, ['quickjs-emscripten, 120 functions', quick.context / 1000]),
    row('host call with two numbers, Lua', lua.call, 'µs', 1, ['wasmoon', moon.call]),
    row('host call with two numbers, JavaScript', js.call, 'µs', 3, ['quickjs-emscripten', quick.call]),
    row('call that waits, Lua', lua.wait, 'µs', 3, ['wasmoon', moon.wait]),
    row('call that waits, JavaScript', js.wait, 'µs', 6, ['quickjs-emscripten (asyncify)', quick.wait]),
    row('small map across and back, Lua', lua.map, 'µs', 3, ['wasmoon', moon.map]),
    row('small map across and back, JavaScript', js.map, 'µs', 5, ['quickjs-emscripten', quick.map]),
    row('1,000 numbers across and back, Lua', lua.list, 'µs', 60, ['wasmoon', moon.list]),
    row('1,000 numbers across and back, JavaScript', js.list, 'µs', 200, ['quickjs-emscripten', quick.list]),
    row('State.save of a small map', of.save, 'µs', 60),
    row('State.load of a small map', of.load, 'µs', 20),
    row('hook registration', of.hook, 'µs', 15),
    row('event to one handler', of.emit1, 'µs', 30),
    row('event to 100 handlers', of.emit100, 'µs'),
    row('event to 1,000 handlers', of.emit1000, 'µs'),
    row('tool call through registry, hook and events', of.tool, 'µs', 50),
    row('step of a 1,000-step sequential workflow', of.sequential, 'µs'),
    row('branch of a 1,000-branch parallel workflow', of.parallel, 'µs'),
    row('memory of a waiting script, Lua', await waiting(ours, 'lua', 1_000), 'MB', 0.2),
    row('memory of a waiting script, JavaScript', await waiting(ours, 'javascript', 500), 'MB', 0.5),
    row('longest hold of the event loop, one hostile script', Math.max(await hold(ours, 'lua', 1), await hold(ours, 'javascript', 1)), 'ms', 15),
    row('longest hold of the event loop, 100 endless scripts', Math.max(await hold(ours, 'lua', 100), await hold(ours, 'javascript', 100)), 'ms', 20),
  ];
  await ours.close();
  const bin = new URL('../bin/llmspell', import.meta.url).pathname;
  const whole = await median(9, 1000, () => spawnSync(process.execPath, [bin, 'exec', '--lang', 'lua', 'print("hello")']));
  const node = await median(9, 1000, () => spawnSync(process.execPath, ['-e', '0']));
  return [...rows, row('llmspell exec, whole process', whole, 'ms', Math.round(3 * node), ['node -e 0', node])];
}

const rows = await measure();
const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
if (process.argv.includes('--json')) for (const one of rows) console.log(JSON.stringify(one));
else {
  const lines = rows.map(
    ({ name, value, unit, bar, peer, peer_value, ratio }) =>
      `| ${name} | ${digits(value)} ${unit} | ${bar === undefined ? '' : `≤ ${bar} ${unit}`} | ${peer === undefined ? '' : `${digits(peer_value as number)} ${unit}, ${peer}`} | ${ratio === undefined ? '' : `× ${digits(ratio)}`} |`,
  );
  const table = ['| | ours | bar | peer | |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
  console.log(table);
  if (process.argv.includes('--write')) {
    const file = new URL('../README.md', import.meta.url);
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace(
        /<!-- bench -->[\s\S]*<!-- \/bench -->/,
        `<!-- bench -->\nMedians on a busy machine with two cores and Node ${process.versions.node}.\n\n${table}\n<!-- /bench -->`,
      ),
    );
  }
}
process.exit(0);
