import { MAJOR, NODE_BYTES, PIECE, PIECE_NODES, SIMPLE, STEP_NODES } from './cbor-write.ts';
import { textOf } from './text.ts';
import { define, Float, type Value, type ValueMap } from './value.ts';

/** A container that is being read. */
interface Level {
  readonly into: Value[] | ValueMap;
  left: number;
}

/** Reads one value in steps from what CborWriter has written; damage is an error, or another value. */
export class CborReader {
  readonly #bytes: Buffer;
  #at = 0;
  readonly #levels: Level[] = [];
  /** Long bytes on their way, and how many of them are there. */
  #rest: Uint8Array | undefined;
  #done = 0;
  #left = 0;
  #begun = false;
  #value: Value = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Goes on for a while; true when the value is whole. */
  readonly step = (): boolean => {
    this.#left = STEP_NODES;
    const levels = this.#levels;
    if (!this.#begun) {
      this.#begun = true;
      this.#value = this.#next();
    }
    for (;;) {
      if (this.#rest) this.#piece(this.#rest);
      else {
        const level = levels.at(-1);
        if (!level) break;
        if (level.left-- === 0) levels.pop();
        else if (Array.isArray(level.into)) level.into.push(this.#next());
        else this.#entry(level.into);
      }
      if (--this.#left < 0) return false;
    }
    if (this.#at !== this.#bytes.length) throw new Error('too many bytes');
    return true;
  };

  get value(): Value {
    return this.#value;
  }

  #entry(map: ValueMap): void {
    const key = this.#next();
    if (typeof key !== 'string' || Object.hasOwn(map, key)) throw new Error('no key');
    define(map, key, this.#next());
  }

  /** The next value; a container is still to be filled. */
  #next(): Value {
    const first = this.#byte();
    const [major, info] = [first >> 5, first & 31];
    if (major === MAJOR.simple) return this.#simple(first);
    const count = this.#count(info);
    if (typeof count === 'bigint') {
      if (major > MAJOR.negative || count >= 2n ** 63n) throw new Error('too long');
      return major === MAJOR.unsigned ? count : -1n - count;
    }
    switch (major) {
      case MAJOR.unsigned:
        return count;
      case MAJOR.negative:
        return count === Number.MAX_SAFE_INTEGER ? -1n - BigInt(count) : -1 - count;
      case MAJOR.bytes:
        return this.#copy(count);
      case MAJOR.text:
        return this.#text(count);
      case MAJOR.array:
      case MAJOR.map:
        return this.#open(major, count);
      default:
        throw new Error('a tag');
    }
  }

  #open(major: number, count: number): Value {
    // Each item takes a byte at least.
    if (count > this.#bytes.length - this.#at) throw new Error('too few bytes');
    const into = major === MAJOR.array ? [] : {};
    this.#levels.push({ into, left: count });
    return into;
  }

  #text(size: number): string {
    const start = this.#take(size);
    const text = textOf(this.#bytes, start, this.#at);
    if (text === undefined) throw new Error('no UTF-8');
    this.#left -= Math.floor(size / NODE_BYTES);
    return text;
  }

  #copy(size: number): Uint8Array {
    const start = this.#take(size);
    const copy = new Uint8Array(size);
    if (size <= PIECE) copy.set(this.#bytes.subarray(start, this.#at));
    else {
      this.#rest = copy;
      this.#done = 0;
    }
    return copy;
  }

  #piece(copy: Uint8Array): void {
    const from = this.#done;
    this.#done = Math.min(copy.length, from + PIECE);
    const start = this.#at - copy.length;
    copy.set(this.#bytes.subarray(start + from, start + this.#done), from);
    this.#left -= PIECE_NODES;
    if (this.#done === copy.length) this.#rest = undefined;
  }

  #simple(first: number): Value {
    switch (first) {
      case SIMPLE.false:
        return false;
      case SIMPLE.true:
        return true;
      case SIMPLE.null:
        return null;
      case SIMPLE.half:
        return float(half(this.#bytes.readUInt16BE(this.#take(2))));
      case SIMPLE.single:
        return float(this.#bytes.readFloatBE(this.#take(4)));
      case SIMPLE.double:
        return float(this.#bytes.readDoubleBE(this.#take(8)));
      default:
        throw new Error('no value');
    }
  }

  /** The argument of an initial byte, which must be in its shortest form; a bigint beyond ±2^53. */
  #count(info: number): number | bigint {
    if (info < 24) return info;
    switch (info) {
      case 24:
        return atLeast(this.#byte(), 24);
      case 25:
        return atLeast(this.#bytes.readUInt16BE(this.#take(2)), 2 ** 8);
      case 26:
        return atLeast(this.#bytes.readUInt32BE(this.#take(4)), 2 ** 16);
      case 27: {
        const count = this.#bytes.readBigUInt64BE(this.#take(8));
        return count > BigInt(Number.MAX_SAFE_INTEGER) ? count : atLeast(Number(count), 2 ** 32);
      }
      default:
        throw new Error('an indefinite length');
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Where so many bytes begin. */
  #take(size: number): number {
    const start = this.#at;
    this.#at += size;
    if (this.#at > this.#bytes.length) throw new Error('too few bytes');
    return start;
  }
}

function atLeast(count: number, least: number): number {
  if (count < least) throw new Error('not the shortest form');
  return count;
}

/** Doubles with an integral value become Float while they can still be told from integers. */
function float(value: number): number | Float {
  return Number.isSafeInteger(value) || Object.is(value, -0) ? new Float(value) : value;
}

const HALF = new DataView(new ArrayBuffer(2));

function half(bits: number): number {
  HALF.setUint16(0, bits);
  return HALF.getFloat16(0);
}
