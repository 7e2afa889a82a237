import { closeSync, type Dirent, opendirSync, readlinkSync, statSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { type Caller, existing, openForReading } from './access.ts';

/** One entry below a folder; `path` is relative to what the script named. */
export interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly size: number;
  /** ms since 1970. */
  readonly modified_at: number;
}

export interface WalkOptions {
  readonly recursive: boolean;
  /** As in `**\/*.md`, against the path below the folder. */
  readonly pattern?: string | undefined;
  readonly hidden: boolean;
  readonly limit: number;
}

const MOST_VISITED = 100_000;

/** Entries below a folder in the order of their names, symbolic links not followed; stops at the limit. */
export function listFolder(context: Caller, path: string, options: WalkOptions): { entries: Entry[]; truncated: boolean } {
  const entries: Entry[] = [];
  const folders = [''];
  let visited = 0;
  let truncated = false;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of readFolder(context, join(path, folder))) {
      if (!options.hidden && entry.name.startsWith('.')) continue;
      const below = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (++visited > MOST_VISITED || entries.length >= options.limit) {
        truncated = true;
        return { entries, truncated };
      }
      if (entry.isDirectory() && options.recursive) folders.push(below);
      if (options.pattern !== undefined && !matchesGlob(below, options.pattern)) continue;
      const stats = statsOf(context, join(path, below), entry);
      if (stats) entries.push({ path: below, ...stats });
    }
  }
  return { entries, truncated };
}

function readFolder(context: Caller, path: string): Dirent[] {
  const opened = openForReading(context, path, 'folder');
  try {
    const folder = opendirSync(process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${opened.fd}`) : existing(context, path));
    const entries: Dirent[] = [];
    for (let entry = folder.readSync(); entry; entry = folder.readSync()) entries.push(entry);
    folder.closeSync();
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    closeSync(opened.fd);
  }
}

function statsOf(context: Caller, path: string, entry: Dirent): Omit<Entry, 'path'> | undefined {
  if (entry.isSymbolicLink()) return { kind: 'link', size: 0, modified_at: 0 };
  try {
    const stats = statSync(existing(context, path));
    return { kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other', size: stats.size, modified_at: Math.round(stats.mtimeMs) };
  } catch {
    return undefined;
  }
}
