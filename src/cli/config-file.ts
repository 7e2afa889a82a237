import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readTextFile } from '../call/text-file.ts';
import { type Config, type ConfigInput, checkConfig } from '../config/config.ts';
import { ScriptError } from '../errors.ts';

/** The file that is read when none is named. */
export const CONFIG_FILE = 'llmspell.toml';

/** It may be this long, bytes. */
const MOST_BYTES = 4 * 2 ** 20;

const UNREADABLE: Readonly<Record<string, string>> = { ENOENT: 'no such file', EISDIR: 'this is a folder, a TOML file is wanted', EACCES: 'not permitted' };

/** The configuration of a TOML file, or of `llmspell.toml` in the current folder where there is one. Throws BAD_CONFIG that names file, key and what was wanted. */
export async function loadConfig(path: string | undefined): Promise<{ config: Config; input: ConfigInput; file: string | undefined }> {
  if (path === '') throw new ScriptError('BAD_ARGUMENT', '--config: expected a file, got ""');
  const file = path ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined);
  const input = file === undefined ? {} : await readToml(file);
  return { config: checkConfig(input, file), input: input as ConfigInput, file };
}

async function readToml(file: string): Promise<unknown> {
  let text: string;
  try {
    const path = resolve(file);
    // A pipe is read to its end: `--config <(…)`.
    text = statSync(path).isFile() ? readTextFile(path, MOST_BYTES) : readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new ScriptError(
      'BAD_CONFIG',
      `${file}: the configuration cannot be read (${error instanceof ScriptError ? error.message : (UNREADABLE[code] ?? code)})`,
    );
  }
  const { parse, TomlError } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n', 1);
    throw new ScriptError('BAD_CONFIG', `${file}:${error.line}:${error.column}: this is no TOML: ${first.replace(/^Invalid TOML document: /, '')}`);
  }
}
