import { isMap } from './check/kind.ts';
import { compareBytes, orderInSteps, pieceEnd } from './text.ts';
import { Float } from './value.ts';

/** Major types of RFC 8949, section 3.1. */
export const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, simple: 7 } as const;
/** Initial bytes of simple values and floats. */
export const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6, half: 0xf9, single: 0xfa, double: 0xfb } as const;

/** Values between two looks at the clock. */
export const STEP_NODES = 1_024;
/** Longer texts and bytes pass in pieces of this size. */
export const PIECE = 65_536;
/** How many nodes a piece counts for, and what counts for one. */
export const PIECE_NODES = 256;
export const NODE_BYTES = PIECE / PIECE_NODES;

/** A deeper value is looked at for a container that holds itself. */
const USUAL_DEPTH = 64;
const FIRST_BYTES = 256;
/** Up to this length a text is written unit by unit. */
const SHORT = 24;
/** Maps of more keys, or of longer ones, put them in order in steps. */
const FEW_KEYS = 64;
const KEY_LENGTH = 1_024;

/** Something has no stored form; which and where is found out afterwards. */
class Unstorable extends Error {}

/** A container that is being written. */
interface Level {
  readonly of: readonly unknown[] | Readonly<Record<string, unknown>>;
  /** A map's keys; undefined for an array. */
  readonly keys: readonly string[] | undefined;
  readonly count: number;
  next: number;
}

/** Writes one value as deterministic CBOR (RFC 8949, section 4.2.1) in steps. */
export class CborWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;
  /** What was written before the buffer grew last, as far as it is still to be copied from `#moved` on. */
  #before: Buffer | undefined;
  #moved = 0;
  readonly #levels: Level[] = [];
  /** A long text or bytes on their way, and how much of them is written. */
  #rest: string | Uint8Array | undefined;
  #done = 0;
  #left = 0;
  /** What is done before anything else goes on. */
  #first: (() => void) | undefined;

  /** Throws Unstorable, as `step` does. */
  constructor(value: unknown) {
    this.#value(value);
  }

  /** Goes on for a while; true when all is written. */
  readonly step = (): boolean => {
    this.#left = STEP_NODES;
    const levels = this.#levels;
    for (;;) {
      const first = this.#first;
      if (this.#before) this.#move(this.#before);
      else if (this.#rest !== undefined) this.#piece(this.#rest);
      else if (first) {
        this.#first = undefined;
        first();
        this.#left -= PIECE_NODES;
      } else {
        const level = levels.at(-1);
        if (!level) return true;
        if (level.next === level.count) levels.pop();
        else if (level.keys) this.#entry(level.of as Readonly<Record<string, unknown>>, level.keys[level.next++] as string);
        else this.#value((level.of as readonly unknown[])[level.next++]);
      }
      if (--this.#left < 0) return false;
    }
  };

  /** What is written. */
  get bytes(): Uint8Array {
    const { buffer, byteOffset } = this.#buffer;
    return this.#at < FIRST_BYTES ? new Uint8Array(this.#buffer.subarray(0, this.#at)) : new Uint8Array(buffer, byteOffset, this.#at);
  }

  #entry(map: Readonly<Record<string, unknown>>, key: string): void {
    this.#text(key);
    // A long key is written before its value begins.
    if (this.#rest === undefined) this.#value(map[key]);
    else this.#first = () => this.#value(map[key]);
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.#text(value);
      case 'boolean':
        return this.#byte(value ? SIMPLE.true : SIMPLE.false);
      case 'undefined':
        return this.#byte(SIMPLE.null);
      case 'bigint':
        return this.#bigint(value);
      case 'object':
        return value === null ? this.#byte(SIMPLE.null) : this.#object(value);
      default:
        throw new Unstorable();
    }
  }

  #object(value: object): void {
    if (Array.isArray(value)) this.#open(MAJOR.array, value, undefined, value.length);
    else if (isMap(value)) {
      this.#map(value, Object.keys(value));
    } else if (value instanceof Float) this.#float(value.value);
    else if (value instanceof Uint8Array) {
      this.#head(MAJOR.bytes, value.length);
      this.#begin(value);
    } else throw new Unstorable();
  }

  /** Many keys are looked at and put in order in steps of their own. */
  #map(map: Readonly<Record<string, unknown>>, all: string[]): void {
    const open = (keys: readonly string[]) => this.#open(MAJOR.map, map, keys, keys.length);
    if (all.length <= FEW_KEYS && all.every((key) => key.length <= KEY_LENGTH)) return open(canonical(definedKeys(map, all)));
    const ordering = canonicalInSteps(map, all);
    const goOn = () => {
      const { done, value } = ordering.next();
      if (done) open(value);
      else this.#first = goOn;
    };
    this.#first = goOn;
  }

  #open(major: number, of: Level['of'], keys: Level['keys'], count: number): void {
    const levels = this.#levels;
    if (levels.length > USUAL_DEPTH && levels.some((level) => level.of === of)) throw new Unstorable();
    this.#head(major, count);
    if (count > 0) levels.push({ of, keys, count, next: 0 });
  }

  #text(text: string): void {
    if (this.#short(text)) return;
    if (!text.isWellFormed()) throw new Unstorable();
    this.#head(MAJOR.text, Buffer.byteLength(text));
    this.#begin(text);
  }

  /** A short plain ASCII text, without the encoder's call; false for any other. */
  #short(text: string): boolean {
    const { length } = text;
    if (length > SHORT) return false;
    this.#room(length + 2);
    const start = this.#at;
    this.#head(MAJOR.text, length);
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) {
        this.#at = start;
        return false;
      }
      this.#buffer[this.#at++] = code;
    }
    return true;
  }

  /** Its length is written; the content follows at once when it is short. */
  #begin(content: string | Uint8Array): void {
    this.#done = 0;
    if (content.length <= PIECE) this.#piece(content);
    else {
      this.#rest = content;
      this.#room(typeof content === 'string' ? Buffer.byteLength(content) : content.length);
    }
  }

  #piece(content: string | Uint8Array): void {
    const from = this.#done;
    if (typeof content === 'string') {
      this.#done = pieceEnd(content, from, PIECE);
      const piece = from === 0 && this.#done === content.length ? content : content.slice(from, this.#done);
      if (piece === content) this.#room(piece.length * 3);
      this.#at += this.#buffer.utf8Write(piece, this.#at);
    } else {
      this.#done = Math.min(content.length, from + PIECE);
      if (content.length <= PIECE) this.#room(this.#done - from);
      this.#buffer.set(content.subarray(from, this.#done), this.#at);
      this.#at += this.#done - from;
    }
    this.#left -= Math.floor((this.#done - from) / NODE_BYTES);
    this.#rest = this.#done < content.length ? content : undefined;
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.#float(value);
    else if (value >= 0) this.#head(MAJOR.unsigned, value);
    else this.#head(MAJOR.negative, -1 - value);
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new Unstorable();
    const [major, count] = value >= 0n ? [MAJOR.unsigned, value] : [MAJOR.negative, -1n - value];
    if (count <= Number.MAX_SAFE_INTEGER) return this.#head(major, Number(count));
    this.#byte((major << 5) | 27);
    this.#room(8);
    this.#at = this.#buffer.writeBigUInt64BE(count, this.#at);
  }

  /** The shortest of the three forms that keeps the value. */
  #float(value: number): void {
    this.#room(9);
    const view = this.#buffer;
    if (Number.isNaN(value) || Math.f16round(value) === value) {
      view[this.#at] = SIMPLE.half;
      HALF.setFloat16(0, value);
      this.#at = view.writeUInt16BE(Number.isNaN(value) ? 0x7e00 : HALF.getUint16(0), this.#at + 1);
    } else if (Math.fround(value) === value) {
      view[this.#at] = SIMPLE.single;
      this.#at = view.writeFloatBE(value, this.#at + 1);
    } else {
      view[this.#at] = SIMPLE.double;
      this.#at = view.writeDoubleBE(value, this.#at + 1);
    }
  }

  /** A major type with its argument, in the shortest form. */
  #head(major: number, count: number): void {
    const first = major << 5;
    this.#room(9);
    const buffer = this.#buffer;
    if (count < 24) buffer[this.#at++] = first | count;
    else if (count < 2 ** 8) {
      buffer[this.#at++] = first | 24;
      buffer[this.#at++] = count;
    } else if (count < 2 ** 16) {
      buffer[this.#at] = first | 25;
      this.#at = buffer.writeUInt16BE(count, this.#at + 1);
    } else if (count < 2 ** 32) {
      buffer[this.#at] = first | 26;
      this.#at = buffer.writeUInt32BE(count, this.#at + 1);
    } else {
      buffer[this.#at] = first | 27;
      buffer.writeUInt32BE(Math.floor(count / 2 ** 32), this.#at + 1);
      this.#at = buffer.writeUInt32BE(count % 2 ** 32, this.#at + 5);
    }
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#buffer[this.#at++] = byte;
  }

  #room(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    while (this.#before) this.#move(this.#before);
    this.#before = this.#buffer.subarray(0, this.#at);
    this.#moved = 0;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(needed + FIRST_BYTES, this.#buffer.length * 2));
    if (this.#at <= PIECE) this.#move(this.#before);
  }

  /** Copies a piece of what was written before the buffer grew. */
  #move(before: Buffer): void {
    const from = this.#moved;
    this.#moved = Math.min(before.length, from + PIECE);
    before.copy(this.#buffer, from, from, this.#moved);
    this.#left -= Math.floor((this.#moved - from) / NODE_BYTES);
    if (this.#moved === before.length) this.#before = undefined;
  }
}

const HALF = new DataView(new ArrayBuffer(2));

function definedKeys(map: Readonly<Record<string, unknown>>, keys: string[]): string[] {
  return keys.some((key) => map[key] === undefined) ? keys.filter((key) => map[key] !== undefined) : keys;
}

/** Keys in the order of their encoded bytes: shorter ones first, else by their UTF-8 bytes. */
function canonical(keys: string[]): string[] {
  return keys.length < 2 ? keys : keys.sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b) || compareBytes(a, b));
}

/** The same of many keys, those that are defined, in steps. */
function* canonicalInSteps(map: Readonly<Record<string, unknown>>, keys: readonly string[]): Generator<undefined, string[]> {
  const byLength = new Map<number, string[]>();
  let left = STEP_NODES;
  for (const key of keys) {
    left -= 1 + Math.floor(key.length / NODE_BYTES);
    if (left < 0) {
      left = STEP_NODES;
      yield;
    }
    if (map[key] === undefined) continue;
    const bytes = Buffer.byteLength(key);
    const same = byLength.get(bytes);
    if (same) same.push(key);
    else byLength.set(bytes, [key]);
  }
  const ordered: string[] = [];
  for (const length of [...byLength.keys()].sort((a, b) => a - b)) for (const key of yield* orderInSteps(byLength.get(length) ?? [])) ordered.push(key);
  return ordered;
}
