// Makes dist/, or the folder that is named, which gets no declarations of types: the sources compiled (their types are checked by `npm run check`),
// beside them the files that they read by their own place, and the command line bundled.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleCompiled } from './bundle.mjs';

const root = resolve(import.meta.dirname, '..');
const [, , named] = process.argv;
const dist = resolve(root, named ?? 'dist');
rmSync(dist, { recursive: true, force: true });
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const flags = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', dist, ...(named === undefined ? [] : ['--declaration', 'false'])];
const { status } = spawnSync(process.execPath, [tsc, ...flags], { cwd: root, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);
const assets = readdirSync(join(root, 'src'), { recursive: true }).filter((file) => /\.(?:lua|js|wasm|bin|json|md)$/.test(file));
for (const file of assets) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  copyFileSync(join(root, 'src', file), join(dist, file));
}
await bundleCompiled(dist);

// A run in each language leaves the engines and base images that the package contains.
if (named === undefined) {
  const { ScriptRuntime } = await import(pathToFileURL(join(dist, 'index.js')).href);
  const dataDir = mkdtempSync(join(tmpdir(), 'llmspell-build-'));
  const runtime = await ScriptRuntime.create({ dataDir });
  for (const language of ['lua', 'javascript']) await runtime.execute('', { language });
  await runtime[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true });
}
