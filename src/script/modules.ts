import { realpathSync } from 'node:fs';
import { dirname, extname, isAbsolute, relative, resolve, sep } from 'node:path';
import { allowedBy } from '../call/capability.ts';
import { ENDINGS, type Language, type Run } from '../call/context.ts';
import { readTextFile } from '../call/text-file.ts';
import { ScriptError } from '../errors.ts';
import type { Source } from './engine.ts';

/** A module's text may be this long, bytes. */
const MOST_BYTES = 4 * 2 ** 20;
/** And its name. */
const MOST_NAME = 1_000;

/** Throws BAD_ARGUMENT for a name of so many bytes that it can name no file; asked before it is read. */
export function checkNameSize(method: 'require' | 'import', bytes: number): void {
  if (bytes > MOST_NAME) throw new ScriptError('BAD_ARGUMENT', `${method}: name: expected at most ${MOST_NAME} bytes, got ${bytes}`, { method });
}

/**
 * Finds and reads a script file that another one names: beside that file (`from`) and, where `main` is given, then beside that one, within the run's
 * readable folders, symbolic links resolved; for code without a file these folders themselves stand in. Throws NOT_FOUND, NOT_ALLOWED when it lies
 * outside, or LIMIT_EXCEEDED when it is too long.
 */
export function resolveModule(run: Run, from: Source, specifier: string, main = from): Source & { readonly path: string } {
  const method = run.language === 'lua' ? 'require' : 'import';
  const [name, ...others] = namesOf(run.language, specifier);
  if (specifier === '' || specifier.includes('\0') || isAbsolute(name) || /^[a-z]+:/i.test(name))
    throw notFound(method, specifier, 'expected a path relative to the file that names it');
  for (const folder of new Set([from, main].flatMap((source) => foldersOf(run, source)))) {
    for (const file of [name, ...others].flatMap((one) => candidates(resolve(folder, one), run.language))) {
      const path = realPath(file);
      if (path === undefined) continue;
      if (!run.grants.read.some((root) => inside(realPath(root) ?? root, path))) {
        throw new ScriptError('NOT_ALLOWED', `${method}: "${specifier}" is outside the folders that the run may read (${allowedBy('read', 'DIR')})`, {
          method,
        });
      }
      return { path, name: shownName(run, path), text: read(method, specifier, path) };
    }
  }
  throw notFound(method, specifier, `no such file ${placesOf(run, from, main)}`);
}

/** The file names that a specifier may mean: in Lua dots are folders, `parts.list`. A module that is named `lua` comes before the ending: `a.lua` is a/lua.lua, else a.lua. */
function namesOf(language: Language, specifier: string): readonly [string, ...string[]] {
  if (language !== 'lua' || /[\\/]/.test(specifier)) return [specifier];
  const name = specifier.replaceAll('.', '/');
  return name.endsWith('/lua') ? [name, name.replace(/\/lua$/, '.lua')] : [name];
}

function foldersOf({ grants }: Run, { path }: Source): readonly string[] {
  return path === undefined ? grants.read : [dirname(path)];
}

/** Where one was looked for, in words. */
function placesOf(run: Run, from: Source, main: Source): string {
  const folders = `in the folders that the run may read${run.grants.read.length === 0 ? `, which are none (${allowedBy('read', 'DIR')})` : ''}`;
  const [place, other] = [from, main].map(({ path, name }) => (path === undefined ? folders : `beside ${name}`));
  const same = foldersOf(run, from).join('\0') === foldersOf(run, main).join('\0');
  return same ? `${place}` : `${place}, nor ${other}`;
}

function candidates(path: string, language: Language): string[] {
  const endings = ENDINGS[language];
  return endings.includes(extname(path)) ? [path] : endings.map((ending) => path + ending);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function inside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** As short as it stays clear, and never a path of the host above the readable folder. */
function shownName(run: Run, path: string): string {
  const roots = run.grants.read.map((root) => realPath(root) ?? root).filter((root) => inside(root, path));
  const ways = roots.map((root) => relative(root, path)).sort((a, b) => a.length - b.length);
  return (ways[0] ?? path.slice(path.lastIndexOf(sep) + 1)).split(sep).join('/');
}

function read(method: string, specifier: string, path: string): string {
  try {
    return readTextFile(path, MOST_BYTES);
  } catch (error) {
    if (!(error instanceof ScriptError)) throw notFound(method, specifier, 'it cannot be read');
    if (error.code !== 'LIMIT_EXCEEDED') throw notFound(method, specifier, error.message);
    throw new ScriptError('LIMIT_EXCEEDED', `${method}: cannot load "${specifier}": ${error.message}`, { method });
  }
}

function notFound(method: string, specifier: string, why: string): ScriptError {
  return new ScriptError('NOT_FOUND', `${method}: cannot load "${specifier}": ${why}`, { method });
}
