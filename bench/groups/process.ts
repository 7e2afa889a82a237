import { spawnSync } from 'node:child_process';
import { hold, holdOfValue, open, serve } from '../ours.ts';
import { headline, medians, type Row, row } from '../row.ts';

/** What waiting and hostile scripts take. */
export async function processes(): Promise<Row[]> {
  const ours = await open();
  await serve(ours, 'lua');
  await serve(ours, 'javascript');
  const rows = [
    headline(row('memory of one more waiting script, Lua', waiting('lua'), 'MB', 0.2)),
    headline(row('memory of one more waiting script, JavaScript', waiting('javascript'), 'MB', 0.5)),
    row('longest hold of the event loop, one hostile script', Math.max(await hold(ours, 'lua', 1), await hold(ours, 'javascript', 1)), 'ms', 15),
    headline(row('longest hold of the event loop, 100 endless scripts', Math.max(await hold(ours, 'lua', 100), await hold(ours, 'javascript', 100)), 'ms', 20)),
    row('longest hold of the event loop, 33,000 maps to State and back, Lua', await holdOfValue(ours, 'lua'), 'ms', 20),
    row('longest hold of the event loop, 33,000 maps to State and back, JavaScript', await holdOfValue(ours, 'javascript'), 'ms', 20),
  ];
  await ours.close();
  const bin = new URL('../../bin/llmspell', import.meta.url).pathname;
  const start = (...args: string[]) => spawnSync(process.execPath, args);
  const [whole = 0, node = 0] = await medians(21, 1000, [() => start(bin, 'exec', '--lang', 'lua', 'print("hello")'), () => start('-e', '0')]);
  return [...rows, headline(row('llmspell exec, whole process', whole, 'ms', Math.round(3 * node), ['node -e 0', node]))];
}

function waiting(language: string): number {
  const { stdout } = spawnSync(process.execPath, [new URL('../waiting.ts', import.meta.url).pathname, language], { encoding: 'utf8' });
  return Number(stdout);
}
