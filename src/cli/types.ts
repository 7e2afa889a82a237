import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { luaTypes } from '../describe/lua.ts';
import { apiManifest } from '../describe/manifest.ts';
import { typescriptTypes } from '../describe/typescript.ts';
import { globals } from '../globals/index.ts';
import { makeFolder } from '../store/folders.ts';
import { unwritable } from './out.ts';

/** Writes the types that editors read. Throws TOOL_FAILED where the folder cannot be written. */
export function writeTypes(folder: string): void {
  const files = { 'llmspell.d.lua': luaTypes(globals), 'llmspell.d.ts': typescriptTypes(globals), 'llmspell.api.json': apiManifest(globals) };
  try {
    makeFolder(resolve(folder), 0o777);
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(folder, name), text);
      process.stdout.write(`wrote ${join(folder, name)}\n`);
    }
  } catch (error) {
    throw unwritable(folder, error);
  }
}
