import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hold, holdOfValue, largeRuns, open, serve } from '../ours.ts';
import { headline, medians, type Row, row } from '../row.ts';

const root = join(import.meta.dirname, '../..');

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
  const large = await largeRuns(ours);
  rows.push(
    row('longest hold of the event loop, 100 scripts of 50 MB in turn', large.hold, 'ms', 20),
    row('memory of the process at most, 100 scripts of 50 MB in turn', large.memory, 'MB', 500),
  );
  await ours.close();
  return [...rows, ...(await wholeProcess())];
}

/** One line of Lua from the start of the process to its end, beside Node that does nothing. */
async function wholeProcess(): Promise<Row[]> {
  const code = ['exec', '--lang', 'lua', 'print("hello")'];
  const packed = packedFolder();
  const start = (...args: string[]) => spawnSync(process.execPath, args);
  const [installed = 0, checkout = 0, node = 0] = await medians(21, 1000, [
    () => start(join(packed, 'bin/llmspell'), ...code),
    () => start(join(root, 'bin/llmspell'), ...code),
    () => start('-e', '0'),
  ]);
  rmSync(packed, { recursive: true });
  const peer = ['node -e 0', node] as const;
  return [
    headline(row('llmspell exec, whole process', installed, 'ms', Math.round(3 * node), peer)),
    row('the same in a checkout, which looks whether its sources have changed', checkout, 'ms', undefined, peer),
  ];
}

/** What `npm install llmspell` gives, in a folder of its own. */
function packedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'llmspell-bench-'));
  const build = spawnSync(process.execPath, [join(root, 'tools/build.mjs'), join(folder, 'dist')]);
  if (build.status !== 0) throw new Error(String(build.stderr));
  for (const part of ['package.json', 'bin', 'build/engine', 'tools/launch.mjs']) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function waiting(language: string): number {
  const { stdout } = spawnSync(process.execPath, [new URL('../waiting.ts', import.meta.url).pathname, language], { encoding: 'utf8' });
  return Number(stdout);
}
