import { closeSync, lstatSync, opendirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { doneAtOnce, doneInTurns } from '../../call/breath.ts';
import type { Context } from '../../call/context.ts';
import { cancelled } from '../../call/run.ts';
import type { Soon } from '../../call/soon.ts';
import { type Caller, checkPath, existing, openForReading } from './access.ts';
import { compileGlob } from './glob.ts';

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
const NAMES_OF_A_STEP = 32;

/** What is below a folder; `truncated` where there is more than was asked for. */
export interface Listing {
  readonly entries: Entry[];
  readonly truncated: boolean;
}

/** Entries below a folder in the order of their names, symbolic links not followed; stops at the limit. */
export function listFolder(context: Caller, path: string, options: WalkOptions): Listing {
  return doneAtOnce(walkFolder(context, path, options));
}

/** As `listFolder`, for a run, over several turns of the event loop where there is much to list. */
export function listFolderSoon(context: Context, path: string, options: WalkOptions): Soon<Listing> {
  return doneInTurns(context.run.cpu, unlessCancelled(context, walkFolder(context, path, options)));
}

function* unlessCancelled<T>({ signal }: Context, walk: Generator<undefined, T>): Generator<undefined, T> {
  try {
    for (;;) {
      if (signal.aborted) throw cancelled(signal);
      const { done, value } = walk.next();
      if (done) return value;
      yield;
    }
  } finally {
    // Lets go of the folder that is open.
    walk.return(undefined as T);
  }
}

function* walkFolder(context: Caller, path: string, options: WalkOptions): Generator<undefined, Listing> {
  checkPath(context, path);
  const entries: Entry[] = [];
  const folders = [''];
  const fits = options.pattern === undefined ? undefined : compileGlob(options.pattern);
  let visited = 0;
  let truncated = false;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const { name, ...stats } of yield* readFolder(context, join(path, folder), options.hidden)) {
      const below = folder === '' ? name : `${folder}/${name}`;
      if (++visited > MOST_VISITED || entries.length >= options.limit) {
        truncated = true;
        return { entries, truncated };
      }
      if (stats.kind === 'folder' && options.recursive) folders.push(below);
      if (fits?.(below) === false) continue;
      entries.push({ path: below, ...stats });
    }
  }
  return { entries, truncated };
}

type Named = Omit<Entry, 'path'> & { readonly name: string };

/** Reads and looks through the folder that is open, so that a folder that is swapped meanwhile shows nothing of what is elsewhere. */
function* readFolder(context: Caller, path: string, hidden: boolean): Generator<undefined, Named[]> {
  const opened = openForReading(context, path, 'folder');
  try {
    const place = process.platform === 'linux' ? `/proc/self/fd/${opened.fd}` : existing(context, path);
    using folder = opendirSync(place);
    const entries: Named[] = [];
    let read = 0;
    for (let entry = folder.readSync(); entry; entry = folder.readSync()) {
      const stats = hidden || !entry.name.startsWith('.') ? lstatSync(join(place, entry.name), { throwIfNoEntry: false }) : undefined;
      if (stats) entries.push({ name: entry.name, ...described(stats) });
      // A name that is no UTF-8 is told with signs that stand for its bytes, and nothing can be opened by it.
      else if (entry.name.includes('\ufffd')) entries.push({ name: entry.name, kind: 'other', size: 0, modified_at: 0 });
      if (++read % NAMES_OF_A_STEP === 0) yield;
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    closeSync(opened.fd);
  }
}

function described(stats: Stats): Omit<Entry, 'path'> {
  if (stats.isSymbolicLink()) return { kind: 'link', size: 0, modified_at: 0 };
  return { kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other', size: stats.size, modified_at: Math.round(stats.mtimeMs) };
}
