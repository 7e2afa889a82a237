import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { luaTypes } from '../describe/lua.ts';
import { apiManifest } from '../describe/manifest.ts';
import { typescriptTypes } from '../describe/typescript.ts';
import { globals } from '../globals/index.ts';

/** Writes the types that editors read. */
export function writeTypes(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const files = { 'llmspell.d.lua': luaTypes(globals), 'llmspell.d.ts': typescriptTypes(globals), 'llmspell.api.json': apiManifest(globals) };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    process.stdout.write(`wrote ${join(folder, name)}\n`);
  }
}
