import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import * as llmspell from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'llmspell-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Program = (load: (name: string) => Promise<unknown>, console: { log: (...args: unknown[]) => void }, lookUp: () => Promise<number>) => Promise<void>;
const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => Program;

function blocks(file: string): (readonly [line: number, text: string])[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => [text.slice(0, found.index).split('\n').length + 1, found[1] as string]);
}

/** A program as the body of a function: its imports are asked of `load`, and one that goes on with the runtime of the block before gets one. */
function programOf(text: string): Program {
  const begun = text.includes('runtime = ') ? '' : "const { ScriptRuntime } = await load('llmspell'); await using runtime = await ScriptRuntime.create();\n";
  const loaded = stripTypeScriptTypes(text).replaceAll(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = await load($2);');
  return new AsyncFunction('load', 'console', 'lookUp', begun + loaded.replaceAll('./data', folder));
}

/** What a program has, with its data in a temporary folder. */
async function load(name: string): Promise<unknown> {
  if (name !== 'llmspell') return import(name);
  const create = (options: llmspell.RuntimeOptions = {}) => llmspell.ScriptRuntime.create({ dataDir: folder, ...options });
  return { ...llmspell, ScriptRuntime: { create } };
}

describe.each(['README.md', 'docs/guide/09-embedding.md'])('programs in %s', (file) => {
  it.each(blocks(file))('line %d runs and logs what stands behind', async (_, text) => {
    const logged: string[] = [];
    const done = programOf(text)(load, { log: (...args) => logged.push(format(...args)) }, async () => 12);
    await expect(done).resolves.toBeUndefined();
    const shown = [...text.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);
    if (shown.length > 0) expect(logged).toEqual(shown);
  });
});
