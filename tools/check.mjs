// Everything that must hold before a change lands: format and lint, types, import rules, generated files, tests. `--no-tests` leaves the tests out.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
let failed = 0;

function step(name, work) {
  const started = performance.now();
  const problem = work();
  console.log(`${problem ? 'FAILED' : 'ok    '} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!problem) return;
  failed++;
  if (typeof problem === 'string') console.log(problem);
}

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`.trim() || 'failed';
}

const bin = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);

step('format and lint', () => run(bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings'));
step('types', () => run(bin('typescript', 'bin/tsc'), '-p', '.'));
step('import rules', importRules);
step('generated files', () => run('tools/generate.ts', '--check'));
if (!process.argv.includes('--no-tests')) step('tests', () => spawnSync(process.execPath, ['tools/test.mjs'], { cwd: root, stdio: 'inherit' }).status !== 0);
process.exit(failed > 0 ? 1 : 0);

/** What each folder of src may import; services may import each other. */
function importRules() {
  const services = 'agent tool workflow hook event model store state rag vector document session artifact tenant log'.split(' ');
  const base = ['call', 'errors', 'config', 'granted'];
  const may = {
    errors: [],
    config: ['errors', 'granted', 'config-problem'],
    'config-problem': [],
    granted: [],
    settings: base,
    platform: ['errors'],
    options: [...base, ...services, 'runtime'],
    call: base,
    worker: base,
    script: [...base, 'script'],
    ...Object.fromEntries(services.map((name) => [name, [...base, ...services, 'worker']])),
    // A source of tools that only the runtime and the command line know of.
    mcp: [...base, ...services, 'mcp'],
    globals: [...base, ...services, 'globals', 'settings', 'worker'],
    describe: [...base, 'globals', 'describe'],
    interactive: [...base, ...services, 'script'],
    runtime: [...base, ...services, 'mcp', 'globals', 'script', 'platform', 'interactive', 'options'],
    index: [...base, ...services, 'runtime', 'interactive'],
    cli: [...base, 'config-problem', ...services, 'mcp', 'globals', 'describe', 'runtime', 'interactive', 'cli', 'settings'],
  };
  const problems = [];
  const files = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => file.endsWith('.ts'));
  const part = (file) => file.split(/[\\/]/)[0].replace(/\.ts$/, '');
  for (const file of files) {
    const text = readFileSync(join(root, 'src', file), 'utf8');
    const from = part(file);
    const lines = text.split('\n').length;
    if (lines > 460 && !file.startsWith('globals')) problems.push(`src/${file} has ${lines} lines; split it`);
    for (const [, target] of text.matchAll(/(?:from|import\()\s*'(\.[^']*)'/g)) {
      const to = part(relative(join(root, 'src'), resolve(root, 'src', dirname(file), target)));
      if (to !== from && !may[from]?.includes(to)) problems.push(`src/${file} imports ${to}, which ${from} may not`);
    }
  }
  return problems.join('\n');
}
