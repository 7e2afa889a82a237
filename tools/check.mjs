// Everything that must hold before a change lands: format and lint, types, import rules, generated files, tests. `--no-tests` leaves the tests out.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const bin = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);

/** What a program of Node wrote if it failed; with `shown` that went to the terminal. */
function run(args, shown = false) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (text += data));
  return new Promise((done) => child.on('close', (status) => done(status === 0 ? '' : text.trim() || 'failed')));
}

async function step(name, work) {
  const started = performance.now();
  const problem = await work();
  return { name, problem, seconds: ((performance.now() - started) / 1000).toFixed(1) };
}

// Side by side: the tests wait for others now and then. More threads would only make the types cost more of what the tests need.
const steps = await Promise.all([
  ...(process.argv.includes('--no-tests') ? [] : [step('tests', () => run(['tools/test.mjs'], true))]),
  step('format and lint', () => run([bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings'])),
  step('types', () => run([bin('typescript', 'bin/tsc'), '-p', '.', '--singleThreaded', '--incremental', '--tsBuildInfoFile', 'build/types.tsbuildinfo'])),
  step('import rules', importRules),
  step('generated files', () => run(['tools/generate.ts', '--check'])),
]);
for (const { name, problem, seconds } of steps) console.log(`${problem ? 'FAILED' : 'ok    '} ${name} (${seconds} s)${problem && `\n${problem}`}`);
process.exit(steps.some(({ problem }) => problem) ? 1 : 0);

/** What each folder of src may import; services may import each other. */
function importRules() {
  const services = 'agent tool workflow hook event model store state rag vector document session artifact tenant log'.split(' ');
  const base = ['call', 'errors', 'config', 'nearest', 'zod'];
  const may = {
    errors: [],
    nearest: [],
    zod: [],
    config: ['errors', 'nearest', 'zod'],
    settings: base,
    call: base,
    worker: base,
    script: [...base, 'script'],
    ...Object.fromEntries(services.map((name) => [name, [...base, ...services, 'worker']])),
    // A source of tools that only the runtime and the command line know of.
    mcp: [...base, ...services, 'mcp'],
    globals: [...base, ...services, 'globals', 'settings', 'worker'],
    describe: [...base, 'globals', 'describe'],
    runtime: [...base, ...services, 'mcp', 'globals', 'script'],
    index: [...base, ...services, 'runtime'],
    cli: [...base, ...services, 'mcp', 'globals', 'describe', 'runtime', 'cli', 'settings'],
  };
  const problems = [];
  const files = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.ts'));
  const part = (file) => file.split(/[\\/]/)[0].replace(/\.ts$/, '');
  for (const file of files) {
    const text = readFileSync(join(root, 'src', file), 'utf8');
    const from = part(file);
    const lines = text.split('\n').length;
    if (lines > 460 && !file.startsWith('globals')) problems.push(`src/${file} has ${lines} lines; split it`);
    // Definitions take zod from zod.ts, whose schemas cost nothing until they are used.
    if (from !== 'zod' && from !== 'call' && /^import (?!type).* from 'zod';$/m.test(text))
      problems.push(`src/${file} imports zod itself; src/zod.ts is meant`);
    for (const [, target] of text.matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)) {
      const to = part(relative(join(root, 'src'), resolve(root, 'src', dirname(file), target)));
      if (to !== from && !may[from]?.includes(to)) problems.push(`src/${file} imports ${to}, which ${from} may not`);
    }
  }
  return problems.join('\n');
}
