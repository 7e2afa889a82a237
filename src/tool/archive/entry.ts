import { ScriptError } from '../../errors.ts';

/** One entry of an archive; `path` as it is written there, which may be anything. */
export interface Entry {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Unpacked, as the archive says. */
  readonly size: number;
  /** ms since 1970. */
  readonly modifiedAt: number;
  /** The content; never more than `size`. Throws when it is damaged. */
  read(): Uint8Array;
}

/** A file or folder to pack; a folder's path ends in `/`. */
export interface Packed {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
}

/** What an archive may be at most. */
export const MOST = { archiveBytes: 64 * 2 ** 20, entries: 10_000, entryBytes: 64 * 2 ** 20, totalBytes: 128 * 2 ** 20, ratio: 200 } as const;
/** Archives that unpack to less may be packed as well as they like. */
const RATIO_FROM = 2 ** 20;

export function damaged(what: string): ScriptError {
  return new ScriptError('TOOL_FAILED', `archive: the archive is damaged: ${what}`);
}

export function refused(what: string): ScriptError {
  return new ScriptError('TOOL_FAILED', `archive: ${what}; nothing was extracted`);
}

function tooMuch(what: string): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `archive: ${what}`);
}

/** Throws LIMIT_EXCEEDED when there are too many entries, or they unpack to too much, as the archive itself says. */
export function checkLimits(entries: readonly Entry[], archiveBytes: number): void {
  if (entries.length > MOST.entries) throw tooMuch(`more than ${MOST.entries} entries`);
  let total = 0;
  for (const { path, size } of entries) {
    if (size > MOST.entryBytes) throw tooMuch(`${printable(path)} unpacks to ${size} bytes, more than ${MOST.entryBytes}`);
    total += size;
  }
  checkTotal(total, archiveBytes);
}

/** Throws LIMIT_EXCEEDED for more bytes than an archive of this size may unpack to. */
export function checkTotal(total: number, archiveBytes: number): void {
  if (total > MOST.totalBytes) throw tooMuch(`it unpacks to more than ${MOST.totalBytes} bytes`);
  if (total > RATIO_FROM && total > archiveBytes * MOST.ratio) throw tooMuch(`it unpacks to more than ${MOST.ratio} times its size`);
}

/** The path below the target folder. Throws for one that leads out of it, is absolute, or is no name on some system. */
export function safePath(path: string): string {
  const parts = path
    .replaceAll('\\', '/')
    .replace(/(?<!\/)\/+$/, '')
    .split('/');
  const bad = /^[A-Za-z]:/.test(path) || parts.some((part) => part === '' || part === '..' || hasControl(part) || Buffer.byteLength(part) > 255);
  if (bad || Buffer.byteLength(path) > 4_096) throw refused(`the entry ${printable(path)} has a path that is not allowed`);
  const safe = parts.filter((part) => part !== '.').join('/');
  if (safe === '' && !path.endsWith('/') && path !== '.') throw refused(`the entry ${printable(path)} has a path that is not allowed`);
  return safe;
}

export function printable(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 32 || text.charCodeAt(at) === 127) return true;
  return false;
}
