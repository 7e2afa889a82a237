import { closeSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { gzipSync } from 'fflate';
import { ScriptError } from '../../errors.ts';
import { checkLimits, damaged, type Entry, MOST, type Packed, printable, refused, safePath } from '../archive/entry.ts';
import { gunzip } from '../archive/inflate.ts';
import { isTar, readTar, writeTar } from '../archive/tar.ts';
import { readZip, writeZip } from '../archive/zip.ts';
import { type Caller, checkPath, openForReading } from '../files/access.ts';
import { compileGlob } from '../files/glob.ts';
import { readBytes, readRange } from '../files/read.ts';
import { listFolder } from '../files/walk.ts';
import { makeFolder, writeFile } from '../files/write.ts';

export type ArchiveFormat = 'zip' | 'tar' | 'tar.gz';

export interface ArchiveInput {
  readonly caller: Caller;
  readonly operation: 'list' | 'extract' | 'create';
  readonly path: string;
  /** extract: the folder to put files in. */
  readonly to: string;
  /** list, extract: a glob for the entries. */
  readonly pattern: string | undefined;
  readonly overwrite: boolean;
  /** create: files and folders. */
  readonly files: readonly string[];
  readonly format: ArchiveFormat | undefined;
}

export type ArchiveResult = {
  format: ArchiveFormat;
  entries: { path: string; kind: Entry['kind']; size: number; modified_at: number }[];
  count: number;
  bytes: number;
};

/** Lists, extracts or makes an archive, in the folders that the caller may use. */
export function run(input: ArchiveInput): ArchiveResult {
  return input.operation === 'create' ? create(input) : open(input);
}

function open({ caller, operation, path, to, pattern, overwrite }: ArchiveInput): ArchiveResult {
  const archive = readBytes(caller, path, MOST.archiveBytes);
  const { format, entries: all } = read(archive);
  const fits = pattern === undefined ? undefined : compileGlob(pattern);
  const entries = all.filter((entry) => fits?.(entry.path) !== false);
  if (all.length > MOST.entries) throw new ScriptError('LIMIT_EXCEEDED', `archive: more than ${MOST.entries} entries`);
  if (operation === 'extract') extract(caller, entries, archive.length, to, overwrite);
  return result(format, entries);
}

function read(archive: Buffer): { format: ArchiveFormat; entries: Entry[] } {
  if (archive.length >= 4 && archive.readUInt32BE(0) >>> 16 === 0x1f8b) {
    const tar = Buffer.from(gunzip(archive));
    if (!isTar(tar)) throw damaged('it is packed, but no tar is inside');
    return { format: 'tar.gz', entries: readTar(tar) };
  }
  if (isTar(archive)) return { format: 'tar', entries: readTar(archive) };
  return { format: 'zip', entries: readZip(archive) };
}

/** Everything is checked and unpacked before the first file is written. */
function extract(caller: Caller, entries: readonly Entry[], archiveBytes: number, to: string, overwrite: boolean): void {
  checkLimits(entries, archiveBytes);
  const folders = new Set<string>();
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    const safe = safePath(entry.path);
    if (entry.kind === 'link' || entry.kind === 'other')
      throw refused(`the entry ${printable(entry.path)} is ${entry.kind === 'link' ? 'a link' : 'neither a file nor a folder'}`);
    if (entry.kind === 'folder') {
      folders.add(safe);
      continue;
    }
    if (files.has(safe)) throw refused(`there are two entries ${printable(safe)}`);
    files.set(safe, entry.read());
  }
  for (const path of files.keys()) for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at));
  const clash = [...folders].find((path) => files.has(path));
  if (clash !== undefined) throw refused(`${printable(clash)} is a file and a folder`);
  if (to !== '.') makeFolder(caller, to);
  for (const path of [...folders].sort()) if (path !== '') makeFolder(caller, join(to, path));
  for (const [path, bytes] of files) writeFile(caller, join(to, path), bytes, overwrite ? 'replace' : 'create', false);
}

function create({ caller, path, files, format = formatOf(path), overwrite }: ArchiveInput): ArchiveResult {
  const packed: Packed[] = [];
  let total = 0;
  const add = (one: Packed) => {
    packed.push(one);
    total += one.bytes.length;
    if (packed.length > MOST.entries) throw new ScriptError('LIMIT_EXCEEDED', `archive: more than ${MOST.entries} files`);
    if (total > MOST.totalBytes) throw new ScriptError('LIMIT_EXCEEDED', `archive: the files have more than ${MOST.totalBytes} bytes`);
  };
  for (const file of files) collect(caller, file, add);
  const twice = packed.find((one, at) => packed.findIndex((other) => other.path === one.path) < at);
  if (twice) throw new ScriptError('BAD_ARGUMENT', `archive: files: ${twice.path} is in it twice`);
  const bytes = format === 'zip' ? writeZip(packed) : format === 'tar' ? writeTar(packed) : gzipSync(writeTar(packed), { mtime: 0 });
  writeFile(caller, path, bytes, overwrite ? 'replace' : 'create');
  const entries = packed.map((one) => ({
    path: one.path,
    kind: one.path.endsWith('/') ? ('folder' as const) : ('file' as const),
    size: one.bytes.length,
    modifiedAt: one.modifiedAt,
  }));
  return { ...result(format, entries), bytes: bytes.length };
}

/** A file, or all files below a folder; links are left out. */
function collect(caller: Caller, file: string, add: (packed: Packed) => void): void {
  checkPath(caller, file);
  const name = isAbsolute(file) || file.split(/[\\/]/).includes('..') ? basename(file) : file.replaceAll('\\', '/').replace(/^(?:\.\/)+|(?<!\/)\/+$/g, '');
  const folder = asFolder(caller, file);
  if (!folder) return add(readOne(caller, file, name));
  const { entries, truncated } = listFolder(caller, file, { recursive: true, hidden: true, limit: MOST.entries });
  if (truncated) throw new ScriptError('LIMIT_EXCEEDED', `archive: more than ${MOST.entries} files`);
  const below = (path: string) => (name === '.' || name === '' ? path : `${name}/${path}`);
  for (const { path, kind, modified_at } of entries) {
    if (kind === 'folder') add({ path: `${below(path)}/`, bytes: new Uint8Array(), modifiedAt: modified_at });
    if (kind === 'file') add(readOne(caller, join(file, path), below(path)));
  }
}

function asFolder(caller: Caller, path: string): boolean {
  try {
    closeSync(openForReading(caller, path, 'folder').fd);
    return true;
  } catch (error) {
    if (error instanceof ScriptError && error.code === 'TOOL_FAILED') return false;
    throw error;
  }
}

function readOne(caller: Caller, path: string, name: string): Packed {
  const file = openForReading(caller, path, 'file');
  try {
    if (file.stats.size > MOST.entryBytes) throw new ScriptError('LIMIT_EXCEEDED', `archive: ${path} has more than ${MOST.entryBytes} bytes`);
    return { path: name, bytes: readRange(file, 0, MOST.entryBytes), modifiedAt: Math.round(file.stats.mtimeMs) };
  } finally {
    closeSync(file.fd);
  }
}

function formatOf(path: string): ArchiveFormat {
  if (/\.zip$/i.test(path)) return 'zip';
  if (/\.tar$/i.test(path)) return 'tar';
  if (/\.(?:tar\.gz|tgz)$/i.test(path)) return 'tar.gz';
  throw new ScriptError('BAD_ARGUMENT', 'archive: path: expected a name that ends in .zip, .tar, .tar.gz or .tgz, or a format');
}

function result(format: ArchiveFormat, entries: readonly Omit<Entry, 'read'>[]): ArchiveResult {
  return {
    format,
    entries: entries.map(({ path, kind, size, modifiedAt }) => ({ path, kind, size, modified_at: modifiedAt })),
    count: entries.length,
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
  };
}
