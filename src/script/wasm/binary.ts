/** Section numbers of the WebAssembly binary format that are read or written here. */
export const SECTION = { custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, global: 6, export: 7, code: 10 } as const;

/** The order in which sections stand; 12 (data count) and 13 (tags) were added later, out of their numbers' order. */
export const SECTION_ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11] as const;

/** A place in a module's bytes, read forward. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 number of up to 32 bits. */
  number(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      result |= (byte & 127) << shift;
      if (byte < 128) return result >>> 0;
      shift += 7;
    }
  }

  /** A signed LEB128 number of up to 32 bits. */
  signed(): number {
    let result = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      result |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) return shift < 32 && byte & 64 ? result | (-1 << shift) : result;
    }
  }

  skipNumber(): void {
    while (this.byte() >= 128);
  }

  skip(count: number): void {
    this.at += count;
  }

  name(): string {
    const size = this.number();
    this.at += size;
    return new TextDecoder().decode(this.bytes.subarray(this.at - size, this.at));
  }
}

export interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** The sections of a module in their order; offsets of their contents. */
export function sections(bytes: Uint8Array): readonly Section[] {
  const reader = new Reader(bytes, 8);
  const result: Section[] = [];
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    result.push({ id, start: reader.at, end: reader.at + size });
    reader.skip(size);
  }
  return result;
}

/** LEB128 of an unsigned number below 2^32. */
export function unsigned(value: number): number[] {
  const result: number[] = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 127;
    rest >>>= 7;
    result.push(rest ? byte | 128 : byte);
  } while (rest);
  return result;
}

/** LEB128 of a signed number of up to 64 bits; one that is no big integer is taken as 32 bits. */
export function signed(value: number | bigint): number[] {
  const result: number[] = [];
  let rest = typeof value === 'bigint' ? value : BigInt(value | 0);
  for (;;) {
    const byte = Number(rest & 127n);
    rest >>= 7n;
    if (rest === (byte & 64 ? -1n : 0n)) return [...result, byte];
    result.push(byte | 128);
  }
}

/** A name as the format stores it: its length in bytes, then UTF-8. */
export function encodedName(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
}

/** A section from the pieces of its contents. */
export function section(id: number, contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat([Uint8Array.from([id, ...unsigned(size)]), ...contents]);
}
