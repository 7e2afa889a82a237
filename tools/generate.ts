// Writes everything that is made from the definitions: types/, docs/reference/. `--check` compares instead and names the first file that differs.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { luaTypes } from '../src/describe/lua.ts';
import { apiManifest } from '../src/describe/manifest.ts';
import { referencePages } from '../src/describe/reference.ts';
import { typescriptTypes } from '../src/describe/typescript.ts';
import { globals } from '../src/globals/index.ts';

const root = new URL('../', import.meta.url);
const files = new Map<string, string>([
  ['types/llmspell.d.lua', luaTypes(globals)],
  ['types/llmspell.d.ts', typescriptTypes(globals)],
  ['types/llmspell.api.json', apiManifest(globals)],
  ...Object.entries(referencePages(globals)).map(([name, text]) => [`docs/reference/${name}`, text] as const),
]);
const pages = existsSync(new URL('docs/reference/', root)) ? readdirSync(new URL('docs/reference/', root)) : [];
const stale = pages.map((name) => `docs/reference/${name}`).filter((name) => !files.has(name));

if (process.argv.includes('--check')) {
  const differing = [...files]
    .filter(([name, text]) => !existsSync(new URL(name, root)) || readFileSync(new URL(name, root), 'utf8') !== text)
    .map(([name]) => name);
  for (const name of [...differing, ...stale]) console.error(`${name} is not what the definitions give; run \`npm run generate\``);
  process.exitCode = differing.length + stale.length > 0 ? 1 : 0;
} else {
  for (const name of ['types/', 'docs/reference/']) mkdirSync(new URL(name, root), { recursive: true });
  for (const name of stale) rmSync(new URL(name, root));
  for (const [name, text] of files) writeFileSync(new URL(name, root), text);
  console.log(`wrote ${files.size} files`);
}
