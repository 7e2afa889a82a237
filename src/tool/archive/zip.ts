import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { Zip, ZipDeflate } from 'fflate';
import { ScriptError } from '../../errors.ts';
import { damaged, type Entry, MOST, type Packed, printable } from './entry.ts';
import { inflate } from './inflate.ts';

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const UNIX = 3;

/** The entries of a ZIP archive (PKWARE APPNOTE 6.3) by its central directory. Throws for damaged, encrypted, split and overlapping ones. */
export function readZip(archive: Buffer): Entry[] {
  const { count, start, end } = directory(archive);
  const entries: Entry[] = [];
  const ranges: [from: number, to: number][] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || archive.readUInt32LE(at) !== CENTRAL) throw damaged('its list of entries breaks off');
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.subarray(at + 46, at + 46 + nameLength);
    const header = { at, name, local: archive.readUInt32LE(at + 42), packedSize: archive.readUInt32LE(at + 20) };
    const { entry, range } = readEntry(archive, header, start);
    entries.push(entry);
    ranges.push(range);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  refuseOverlaps(ranges);
  return entries;
}

function directory(archive: Buffer): { count: number; start: number; end: number } {
  for (let at = archive.length - 22; at >= Math.max(0, archive.length - 22 - 0xffff); at--) {
    if (archive.readUInt32LE(at) !== END || at + 22 + archive.readUInt16LE(at + 20) !== archive.length) continue;
    const count = archive.readUInt16LE(at + 10);
    const start = archive.readUInt32LE(at + 16);
    if (count === 0xffff || start === 0xffffffff) throw new ScriptError('TOOL_FAILED', 'archive: ZIP64 archives cannot be read');
    if (archive.readUInt16LE(at + 4) !== 0 || archive.readUInt16LE(at + 8) !== count)
      throw new ScriptError('TOOL_FAILED', 'archive: split archives cannot be read');
    if (count > MOST.entries) throw new ScriptError('LIMIT_EXCEEDED', `archive: more than ${MOST.entries} entries`);
    if (start + archive.readUInt32LE(at + 12) > at) throw damaged('its list of entries lies outside');
    return { count, start, end: at };
  }
  throw damaged('it has no list of entries');
}

interface Header {
  readonly at: number;
  readonly name: Buffer;
  /** Where the entry's own header is. */
  readonly local: number;
  readonly packedSize: number;
}

function readEntry(archive: Buffer, { at, name, local, packedSize }: Header, directoryAt: number): { entry: Entry; range: [number, number] } {
  const flags = archive.readUInt16LE(at + 8);
  const path = (flags & 0x800) !== 0 || isUtf8(name) ? name.toString('utf8') : name.toString('latin1');
  const size = archive.readUInt32LE(at + 24);
  if (packedSize === 0xffffffff || size === 0xffffffff || local === 0xffffffff) throw new ScriptError('TOOL_FAILED', 'archive: ZIP64 archives cannot be read');
  if ((flags & 1) !== 0) throw new ScriptError('TOOL_FAILED', `archive: ${printable(path)} is encrypted`);
  const method = archive.readUInt16LE(at + 10);
  if (method !== 0 && method !== 8) throw new ScriptError('TOOL_FAILED', `archive: ${printable(path)} is packed in a way (${method}) that cannot be read`);
  if (local + 30 > directoryAt || archive.readUInt32LE(local) !== LOCAL) throw damaged(`${printable(path)} has no header`);
  const localName = archive.readUInt16LE(local + 26);
  const from = local + 30 + localName + archive.readUInt16LE(local + 28);
  if (from + packedSize > directoryAt) throw damaged(`${printable(path)} lies outside`);
  if (!archive.subarray(local + 30, local + 30 + localName).equals(name)) throw damaged(`${printable(path)} has two names`);
  const crc = archive.readUInt32LE(at + 16);
  const read = () => {
    const packed = archive.subarray(from, from + packedSize);
    if (method === 0 && packedSize !== size) throw damaged(`${printable(path)} has two sizes`);
    const bytes = method === 0 ? packed : inflate(packed, size);
    if (crc32(bytes) !== crc) throw damaged(`${printable(path)} fails its checksum`);
    return bytes;
  };
  const mode = archive.readUInt8(at + 5) === UNIX ? archive.readUInt16LE(at + 40) : 0;
  const entry = { path, kind: kindOf(path, mode), size, modifiedAt: dosTime(archive.readUInt16LE(at + 14), archive.readUInt16LE(at + 12)), read };
  return { entry, range: [local, from + packedSize] };
}

/** The kind by the file type of Unix, where the entry has one. */
function kindOf(path: string, mode: number): Entry['kind'] {
  const type = mode & 0o170000;
  if (type === 0o120000) return 'link';
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) return 'other';
  return type === 0o040000 || path.endsWith('/') || path.endsWith('\\') ? 'folder' : 'file';
}

/** Entries that share their bytes are how a small archive unpacks to petabytes (Fifield, A better zip bomb, 2019). */
function refuseOverlaps(ranges: [from: number, to: number][]): void {
  ranges.sort((a, b) => a[0] - b[0]);
  for (const [index, [from]] of ranges.entries()) if (index > 0 && from < (ranges[index - 1]?.[1] ?? 0)) throw damaged('its entries overlap');
}

function dosTime(date: number, time: number): number {
  return Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2);
}

/** A ZIP archive of files and folders. */
export function writeZip(packed: readonly Packed[]): Uint8Array {
  const parts: Uint8Array[] = [];
  // Entry by entry: the library's call for all at once takes them as properties of an object, and loses one called `__proto__`.
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part);
  });
  for (const { path, bytes, modifiedAt } of packed) {
    const entry = new ZipDeflate(path, { level: 6 });
    entry.mtime = zipTime(modifiedAt);
    zip.add(entry);
    entry.push(bytes, true);
  }
  zip.end();
  return Buffer.concat(parts);
}

/** ZIP has local times only; such that they read as UTC, and within the years that it can hold. */
function zipTime(ms: number): Date {
  const time = new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 2)), Date.UTC(2099, 0, 1)));
  return new Date(time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds());
}
