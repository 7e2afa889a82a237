import { damaged, type Entry, MOST, type Packed } from './entry.ts';

const BLOCK = 512;
const KINDS: Readonly<Record<string, Entry['kind']>> = { '0': 'file', '\0': 'file', '7': 'file', '5': 'folder', '1': 'link', '2': 'link' };

/** Whether the bytes begin as a tar archive does. */
export function isTar(archive: Buffer): boolean {
  return archive.length >= BLOCK && checksumFits(archive.subarray(0, BLOCK));
}

/** The entries of a tar archive: ustar and pax (POSIX.1-2001), and the long names of GNU. Throws for a damaged one. */
export function readTar(archive: Buffer): Entry[] {
  const entries: Entry[] = [];
  let next: { path?: string; size?: number } = {};
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    if (!checksumFits(header)) throw damaged('an entry has no header');
    const type = String.fromCharCode(header[156] ?? 0);
    const size = next.size !== undefined && type !== 'x' && type !== 'g' && type !== 'L' && type !== 'K' ? next.size : numberAt(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > archive.length) throw damaged('an entry is longer than the archive');
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x') next = { ...next, ...paxFields(content) };
    else if (type === 'L') next = { ...next, path: textAt(content, 0, content.length) };
    else if (type !== 'g' && type !== 'K') {
      const path = next.path ?? pathOf(header);
      const kind = KINDS[type] ?? 'other';
      const folder = kind === 'file' && path.endsWith('/');
      entries.push({ path, kind: folder ? 'folder' : kind, size, modifiedAt: numberAt(header, 136, 12) * 1_000, read: () => content });
      if (entries.length > MOST.entries) return entries;
      next = {};
    }
  }
  return entries;
}

function pathOf(header: Buffer): string {
  const name = textAt(header, 0, 100);
  const prefix = textAt(header, 257, 5) === 'ustar' && header[262] === 0 ? textAt(header, 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textAt(bytes: Buffer, at: number, length: number): string {
  const end = bytes.indexOf(0, at);
  return bytes.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

/** Octal text, or binary where the first bit is set. */
function numberAt(header: Buffer, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) === 0) return Number.parseInt(textAt(header, at, length).trim() || '0', 8);
  let value = (header[at] ?? 0) & 0x7f;
  for (let index = 1; index < length; index++) value = value * 256 + (header[at + index] ?? 0);
  return value;
}

function checksumFits(header: Buffer): boolean {
  return numberAt(header, 148, 8) === checksum(header);
}

function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

/** Records `length key=value\n` of a pax header. */
function paxFields(content: Buffer): { path?: string; size?: number } {
  const fields: { path?: string; size?: number } = {};
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(32, at);
    const length = Number(content.toString('latin1', at, space));
    if (space < 0 || !Number.isInteger(length) || length < space - at + 3 || at + length > content.length) throw damaged('an extended header cannot be read');
    const [, key, value] = /^([^=]*)=([\s\S]*)$/.exec(content.toString('utf8', space + 1, at + length - 1)) ?? [];
    if (key === 'path' && value !== undefined) fields.path = value;
    if (key === 'size' && value !== undefined) fields.size = Number(value);
    at += length;
  }
  return fields;
}

/** A tar archive of files and folders, names that are too long for a header in extended ones. */
export function writeTar(packed: readonly Packed[]): Buffer {
  const blocks: Uint8Array[] = [];
  for (const { path, bytes, modifiedAt } of packed) {
    if (Buffer.byteLength(path) > 100) {
      const record = paxRecord('path', path);
      blocks.push(headerOf('pax', 'x', record.length, modifiedAt), padded(record));
    }
    blocks.push(headerOf(path, path.endsWith('/') ? '5' : '0', bytes.length, modifiedAt), padded(bytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(path: string, type: string, size: number, modifiedAt: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(
      `${Math.trunc(value)
        .toString(8)
        .padStart(length - 1, '0')}\0`,
      at,
      'latin1',
    );
  header.set(Buffer.from(path).subarray(0, 100));
  octal(type === '5' ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.max(0, modifiedAt / 1_000), 136, 12);
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  octal(checksum(header), 148, 7);
  header[155] = 32;
  return header;
}

function paxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body);
  while (String(length).length + Buffer.byteLength(body) > length) length++;
  return Buffer.from(`${length}${body}`);
}

function padded(bytes: Uint8Array): Buffer {
  const out = Buffer.alloc(Math.ceil(bytes.length / BLOCK) * BLOCK);
  out.set(bytes);
  return out;
}
