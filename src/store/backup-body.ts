import { readSync } from 'node:fs';
import { MAJOR, SIMPLE } from '../call/cbor-write.ts';
import type { BackupEntry } from './backup-format.ts';

/** What is read of the file at once, bytes; a longer value is read as a whole. */
const READ = 2 ** 18;

/** What is read is not in the form of a backup. */
export class OtherForm extends Error {}

/** The values of a backup, read from its file one after the other. Throws OtherForm. */
export class BackupBody {
  readonly meta: Readonly<Record<string, string>>;
  readonly #file: number;
  /** Where the file ends. */
  readonly #end: number;
  /** Where reading goes on, and what is read and not yet used. */
  #position: number;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor({ file, start, size }: { readonly file: number; readonly start: number; readonly size: number }) {
    this.#file = file;
    this.#position = start;
    this.#end = size;
    this.#expect(MAJOR.map, 2);
    this.#expectText('meta');
    const meta: [string, string][] = [];
    for (let left = this.#count(MAJOR.map); left > 0; left--) meta.push([this.#text(), this.#text()]);
    this.meta = Object.fromEntries(meta);
    this.#expectText('entries');
  }

  /** Each once; a value is good until the next. */
  *entries(): Generator<BackupEntry> {
    for (let left = this.#count(MAJOR.array); left > 0; left--) {
      this.#expect(MAJOR.array, 4);
      yield [this.#text(), this.#text(), this.#take(this.#count(MAJOR.bytes)), this.#time()];
    }
    if (this.#left > 0) throw new OtherForm();
  }

  #text(): string {
    return this.#take(this.#count(MAJOR.text)).toString('utf8');
  }

  #time(): number | null {
    if (this.#peek() !== SIMPLE.null) return this.#count(MAJOR.unsigned);
    this.#take(1);
    return null;
  }

  #expect(major: number, count: number): void {
    if (this.#count(major) !== count) throw new OtherForm();
  }

  #expectText(text: string): void {
    if (this.#text() !== text) throw new OtherForm();
  }

  /** The argument of the next initial byte, which must be of this major type. */
  #count(major: number): number {
    const first = this.#take(1)[0] as number;
    if (first >> 5 !== major) throw new OtherForm();
    const info = first & 31;
    if (info < 24) return info;
    if (info > 27) throw new OtherForm();
    if (info === 27) return Number(this.#take(8).readBigUInt64BE());
    const size = 2 ** (info - 24);
    return this.#take(size).readUIntBE(0, size);
  }

  #peek(): number {
    const first = this.#take(1)[0] as number;
    this.#at--;
    return first;
  }

  /** Bytes of the file that were not yet taken. */
  get #left(): number {
    return this.#end - this.#position + this.#bytes.length - this.#at;
  }

  /** The next bytes, good until more are taken. */
  #take(size: number): Buffer {
    if (size > this.#left) throw new OtherForm();
    if (this.#bytes.length - this.#at < size) this.#read(size);
    const taken = this.#bytes.subarray(this.#at, this.#at + size);
    this.#at += size;
    return taken;
  }

  #read(size: number): void {
    const rest = this.#bytes.subarray(this.#at);
    const bytes = Buffer.allocUnsafe(Math.max(size, READ));
    rest.copy(bytes);
    let length = rest.length;
    while (length < size) {
      const got = readSync(this.#file, bytes, length, bytes.length - length, this.#position);
      if (got === 0) throw new OtherForm();
      this.#position += got;
      length += got;
    }
    this.#bytes = bytes.subarray(0, length);
    this.#at = 0;
  }
}
