import { MAJOR } from '../call/cbor-write.ts';
import { encode } from '../call/codec.ts';
import type { BackupHead, BackupNote } from './store.ts';

/** The format that this llmspell writes, the only one so far. */
export const BACKUP_FORMAT = 1;
const FORMAT = `llmspell-backup-${BACKUP_FORMAT}`;
const ANY_FORMAT = /^llmspell-backup-([1-9][0-9]{0,8})$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** The latest time that a date can be, ms since 1970 (ECMA-262, section 21.4.1.1). */
const LATEST = 8.64e15;
const NEWLINE = 10;
const MAP_OF_TWO = (MAJOR.map << 5) | 2;

/** A backup begins with one line of JSON that describes it; behind it are the values as CBOR, whose SHA-256 the line names. */
export interface BackupLine extends BackupHead {
  readonly format: string;
  readonly sha256: string;
}

/** Scope, key, value, and when it expires. */
export type BackupEntry = [string, string, Uint8Array, number | null];

/** The line, with blanks at its end where it is to have a certain width. */
export function lineOf({ id, description, created_at }: BackupNote, size_bytes: number, entries: number, sha256: string, width = 0): Buffer {
  const line: BackupLine = { format: FORMAT, id, description, created_at, size_bytes, entries, sha256 };
  const text = JSON.stringify(line);
  return Buffer.from(`${text}${' '.repeat(Math.max(0, width - 1 - Buffer.byteLength(text)))}\n`);
}

/** As wide as the line can become, bytes: it is written last. */
export function widthOf(note: BackupNote): number {
  return lineOf(note, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, '0'.repeat(64)).length;
}

/** The line that bytes begin with and where it ends; `newer` where a newer llmspell wrote it, undefined where they begin with none. */
export function readLine(bytes: Buffer): { line: BackupLine; end: number } | 'newer' | undefined {
  const end = bytes.indexOf(NEWLINE) + 1;
  if (end === 0) return undefined;
  try {
    const line: unknown = JSON.parse(bytes.toString('utf8', 0, end));
    if (isLine(line)) return { line, end };
    return Number(ANY_FORMAT.exec(String((line as BackupLine | null)?.format))?.[1]) > BACKUP_FORMAT ? 'newer' : undefined;
  } catch {
    return undefined;
  }
}

function isLine(line: unknown): line is BackupLine {
  const { format, id, description, created_at, size_bytes, entries, sha256 } = (line ?? {}) as Record<string, unknown>;
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  return (
    format === FORMAT &&
    typeof id === 'string' &&
    (description === undefined || typeof description === 'string') &&
    isCount(created_at) &&
    (created_at as number) <= LATEST &&
    isCount(size_bytes) &&
    isCount(entries) &&
    typeof sha256 === 'string' &&
    SHA256.test(sha256)
  );
}

/** What is told of a backup. */
export function headOf({ id, description, created_at, size_bytes, entries }: BackupLine): BackupHead {
  return { id, description, created_at, size_bytes, entries };
}

/** How the values begin, `{meta, entries: […]}`, before so many entries. */
export function bodyStart(meta: Readonly<Record<string, string>>, entries: number): Buffer {
  return Buffer.concat([Buffer.of(MAP_OF_TWO), encode('meta'), encode({ ...meta }), encode('entries'), arrayHead(entries)]);
}

/** An array of so many items, of which nothing follows yet (RFC 8949, section 3). */
function arrayHead(count: number): Uint8Array {
  // Its argument is written as that of the number, whose major type is 0.
  const head = encode(count);
  head[0] = (head[0] as number) | (MAJOR.array << 5);
  return head;
}
