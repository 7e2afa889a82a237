import { MOST_MESSAGE } from '../../errors.ts';
import { CLASS, CONTEXT, DOUBLE, MODULE, OBJECT, ROPE, RUNTIME, SHAPE, STRING, TAG } from './exports.ts';

/** Up to this length a string is read character by character, which beats the decoder's call. */
const SHORT = 24;
/** Bits of a property in a shape, above its hash link. */
const ENUMERABLE = 4;
const KIND = 0x30;
/** An atom with this bit is an array index. */
const INDEX = 0x8000_0000;

/** One own property as it stands in memory. */
export interface Slot {
  readonly key: string;
  /** Where its value is; 0 for an accessor or another thing that is no plain value. */
  readonly at: number;
}

/**
 * Reads the engine's structures straight from its memory: no code of the script, no getter and no proxy trap can run, nothing is
 * allocated and nothing can be paused meanwhile. Views follow the memory as it grows.
 */
export class Heap {
  readonly #memory: WebAssembly.Memory;
  readonly #runtime: number;
  #words = new Int32Array(0);
  #bytes: Buffer = Buffer.alloc(0);
  readonly #double = new Float64Array(1);
  readonly #doubleWords = new Int32Array(this.#double.buffer);

  constructor(memory: WebAssembly.Memory, runtime: number) {
    this.#memory = memory;
    this.#runtime = runtime;
  }

  /** The memory as 32-bit words. */
  get words(): Int32Array {
    if (this.#words.length === 0) this.#follow();
    return this.#words;
  }

  get bytes(): Buffer {
    if (this.#words.length === 0) this.#follow();
    return this.#bytes;
  }

  word(at: number): number {
    return this.words[at >>> 2] as number;
  }

  pointer(at: number): number {
    return (this.words[at >>> 2] as number) >>> 0;
  }

  setWord(at: number, value: number): void {
    this.words[at >>> 2] = value;
  }

  /** The tag of the value at an address. */
  tag(at: number): number {
    return this.word(at + 4);
  }

  /** The 64-bit value at an address. */
  value(at: number): bigint {
    return (BigInt(this.word(at + 4)) << 32n) | BigInt(this.pointer(at));
  }

  setValue(at: number, value: bigint): void {
    this.setWord(at, Number(BigInt.asIntN(32, value)));
    this.setWord(at + 4, Number(value >> 32n));
  }

  /** The double that the value at an address is. */
  double(at: number): number {
    this.#doubleWords[0] = this.word(at);
    this.#doubleWords[1] = (this.word(at + 4) + DOUBLE) | 0;
    return this.#double[0] as number;
  }

  /** Puts a double to an address. */
  setDouble(at: number, value: number): void {
    this.#double[0] = value;
    this.setWord(at, this.#doubleWords[0] as number);
    this.setWord(at + 4, ((this.#doubleWords[1] as number) - DOUBLE) | 0);
  }

  classOf(object: number): number {
    return this.word(object + OBJECT.flags) >>> 16;
  }

  /** The object's prototype, 0 for none. */
  prototypeOf(object: number): number {
    return this.pointer(this.pointer(object + OBJECT.shape) + SHAPE.prototype);
  }

  /** Bytes that a string takes, from its length; characters of a rope. */
  stringBytes(string: number): number {
    const length = this.word(string);
    return length < 0 ? (length & 0x7fff_ffff) * 2 : length;
  }

  /** The text of a string or rope. */
  text(tag: number, string: number): string {
    if (tag !== TAG.rope) return this.#flat(string);
    const left = string + ROPE.left;
    const right = string + ROPE.right;
    return this.text(this.tag(left), this.pointer(left)) + this.text(this.tag(right), this.pointer(right));
  }

  /** Where the characters of a string that is no rope begin. */
  characters(string: number): number {
    const kind = (this.word(string + STRING.kind) >>> 28) & 3;
    return kind === 0 ? string + STRING.data : this.pointer(string + STRING.sliceOf) + STRING.data + this.word(string + STRING.sliceStart);
  }

  /** Whether each character of a string or rope takes two bytes. */
  isWide(tag: number, string: number): boolean {
    return tag === TAG.rope ? this.bytes[string + ROPE.wide] !== 0 : this.word(string) < 0;
  }

  #flat(string: number, most = Number.POSITIVE_INFINITY): string {
    const { bytes } = this;
    const word = this.word(string);
    const length = Math.min(word & 0x7fff_ffff, most);
    const start = this.characters(string);
    if (word < 0) return bytes.ucs2Slice(start, start + length * 2);
    if (length > SHORT) return bytes.latin1Slice(start, start + length);
    let text = '';
    for (let i = start; i < start + length; i++) text += String.fromCharCode(bytes[i] as number);
    return text;
  }

  /** Bytes of the UTF-8 text that the engine made of a string: the string that holds it begins before it. */
  utf8Bytes(at: number): number {
    return this.stringBytes(at - STRING.data);
  }

  /** The UTF-8 text up to the next NUL. */
  cString(at: number): string {
    return this.bytes.utf8Slice(at, this.bytes.indexOf(0, at));
  }

  /** The text of a property's name; undefined for a symbol or a private name. */
  #name(atom: number): string | undefined {
    if (atom >= INDEX) return String(atom - INDEX);
    const string = this.pointer(this.pointer(this.#runtime + RUNTIME.atoms) + atom * 4);
    return this.pointer(string + STRING.kind) >>> 30 === 1 ? this.#flat(string) : undefined;
  }

  /** How far a loaded module is; undefined when there is none of that name. */
  moduleStatus(context: number, name: string): number | undefined {
    const head = context + CONTEXT.modules;
    for (let link = this.pointer(head + 4); link !== head; link = this.pointer(link + MODULE.next - MODULE.link)) {
      const module = link - MODULE.link;
      if (this.#name(this.pointer(module + MODULE.name)) === name) return this.word(module + MODULE.status) >> 24;
    }
    return undefined;
  }

  /** How many own properties an object has, those without a string key or value included. */
  slotCount(object: number): number {
    return this.word(this.pointer(object + OBJECT.shape) + SHAPE.count);
  }

  /** One own property; undefined where its key is no string, or it is not enumerable unless `all` are wanted. */
  slotAt(object: number, i: number, all = false): Slot | undefined {
    const shape = this.pointer(object + OBJECT.shape);
    const property = shape + SHAPE.table + (this.word(shape + SHAPE.mask) + 1) * 4 + i * 8;
    const flags = this.pointer(property) >>> 26;
    const atom = this.pointer(property + 4);
    if (atom === 0 || !(all || flags & ENUMERABLE)) return undefined;
    const key = this.#name(atom);
    return key === undefined ? undefined : { key, at: flags & KIND ? 0 : this.pointer(object + OBJECT.properties) + i * 8 };
  }

  /** The own properties with string keys; `all` takes those that are not enumerable too. */
  slots(object: number, all = false): Slot[] {
    return Array.from({ length: this.slotCount(object) }, (_, i) => this.slotAt(object, i, all)).filter((slot) => slot !== undefined);
  }

  /** Where the value of an own data property is, 0 if there is none. */
  slot(object: number, key: string): number {
    for (const slot of this.slots(object, true)) if (slot.key === key) return slot.at;
    return 0;
  }

  /** The text, but no more of it than an error or a class may be named by: ropes share their parts, so that a few bytes stand for gigabytes. */
  shortText(tag: number, string: number): string {
    if (tag !== TAG.rope) return this.#flat(string, MOST_MESSAGE + 1);
    return this.stringBytes(string) <= MOST_MESSAGE ? this.text(tag, string) : '…';
  }

  /** The text of a data property of the object or of its prototypes, for messages. */
  inheritedText(object: number, key: string): string | undefined {
    for (let at = object, steps = 0; at !== 0 && steps < 32 && this.classOf(at) !== CLASS.proxy; at = this.prototypeOf(at), steps++) {
      const slot = this.slot(at, key);
      if (slot === 0) continue;
      const tag = this.tag(slot);
      return tag === TAG.string || tag === TAG.rope ? this.shortText(tag, this.pointer(slot)) : undefined;
    }
    return undefined;
  }

  #follow(): void {
    const { buffer } = this.#memory;
    this.#words = new Int32Array(buffer);
    this.#bytes = Buffer.from(buffer);
  }
}
