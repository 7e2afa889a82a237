import { readFileSync } from 'node:fs';
import { ScriptError } from '../../errors.ts';
import { hashOf } from '../hash/embed.ts';

/** Loaded at first use: it takes Node as long as a tenth of its start. */
const zlib = () => process.getBuiltinModule('node:zlib');

/** The vectors of words, four bits a number; `tools/words` makes them. */
export interface WordTable {
  /** How many words there are. */
  readonly count: number;
  readonly dimensions: number;
  /** Adds a word's vector, times `by`; does nothing for a word that is not in the table. */
  add(word: string, by: number, to: Float64Array): void;
}

/** `LSW1` as a number. */
const MAGIC = 0x3157534c;
/** Magic, check sum of what follows, number of words, dimensions. */
const HEAD = 16;
/** Half of a byte holds a number from -7 to 7, and 8 more. */
const MIDDLE = 8;
const SEED = 0x9747b28c;

/** Words are known by hashes of 32 bits, in order; makers of tables see to it that no two are the same. */
export function wordHash(word: string): number {
  return hashOf(word, 0, word.length, SEED);
}

/** A table out of its bytes. Throws INTERNAL when they are not the whole of one. */
export function openTable(bytes: Uint8Array): WordTable {
  const broken = (why: string) => new ScriptError('INTERNAL', `the table of words cannot be used: ${why}; install llmspell again`);
  if (bytes.length < HEAD) throw broken(`it has ${bytes.length} bytes`);
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const [magic, sum, count = 0, dimensions = 0] = new Uint32Array(whole.buffer, whole.byteOffset, HEAD / 4);
  if (magic !== MAGIC) throw broken('it is no such table');
  const size = HEAD + 8 * count + (count * dimensions) / 2;
  if (whole.length !== size) throw broken(`it has ${whole.length} bytes where ${size} were expected`);
  if (zlib().crc32(whole.subarray(8)) !== sum) throw broken('its check sum is wrong');
  const hashes = new Uint32Array(whole.buffer, whole.byteOffset + HEAD, count);
  const scales = new Float32Array(whole.buffer, whole.byteOffset + HEAD + 4 * count, count);
  const halves = whole.subarray(HEAD + 8 * count);
  return {
    count,
    dimensions,
    add(word, by, to) {
      const at = find(hashes, wordHash(word));
      if (at < 0) return;
      const scale = by * (scales[at] as number);
      for (let k = 0, from = (at * dimensions) / 2; k < dimensions; k += 2, from++) {
        const two = halves[from] as number;
        to[k] = (to[k] as number) + scale * ((two & 15) - MIDDLE);
        to[k + 1] = (to[k + 1] as number) + scale * ((two >> 4) - MIDDLE);
      }
    },
  };
}

/** The bytes of a table of words with vectors of one even length, one after another. Throws when two words have one hash. */
export function packTable(words: readonly string[], vectors: Float32Array, dimensions: number): Uint8Array<ArrayBuffer> {
  const count = words.length;
  const bytes = new Uint8Array(HEAD + 8 * count + (count * dimensions) / 2);
  const hashes = new Uint32Array(bytes.buffer, HEAD, count);
  const scales = new Float32Array(bytes.buffer, HEAD + 4 * count, count);
  const order = words.map((word, at) => ({ hash: wordHash(word), at })).sort((a, b) => a.hash - b.hash);
  for (const [place, { hash, at }] of order.entries()) {
    if (hash === order[place - 1]?.hash) throw new Error(`two words have one hash: ${words[at]} and ${words[order[place - 1]?.at ?? 0]}`);
    hashes[place] = hash;
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    // Seven steps to three standard deviations: the few numbers beyond are cut.
    const scale = (3 / 7) * Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0) / dimensions);
    scales[place] = scale;
    for (let k = 0; k < dimensions; k += 2)
      bytes[HEAD + 8 * count + (place * dimensions + k) / 2] = half(vector[k] as number, scale) | (half(vector[k + 1] as number, scale) << 4);
  }
  const head = new Uint32Array(bytes.buffer, 0, HEAD / 4);
  head.set([MAGIC, 0, count, dimensions]);
  head[1] = zlib().crc32(bytes.subarray(8));
  return bytes;
}

function half(value: number, scale: number): number {
  return MIDDLE + Math.max(-7, Math.min(7, Math.round(value / scale)));
}

function find(hashes: Uint32Array, hash: number): number {
  let [from, to] = [0, hashes.length - 1];
  while (from <= to) {
    const middle = (from + to) >>> 1;
    const found = hashes[middle] as number;
    if (found === hash) return middle;
    if (found < hash) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
}

let opened: WordTable | undefined;

/** The table that comes with llmspell, read at first use. Throws INTERNAL when it is missing or broken. */
export function wordTable(): WordTable {
  opened ??= openTable(readTable());
  return opened;
}

/** Its bytes. Throws INTERNAL when they cannot be read. */
export function readTable(): Uint8Array {
  try {
    return readFileSync(new URL('./table.bin', import.meta.url));
  } catch (cause) {
    throw new ScriptError('INTERNAL', 'the table of words cannot be read; install llmspell again', { cause });
  }
}
