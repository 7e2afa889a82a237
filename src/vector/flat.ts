import { ScriptError } from '../errors.ts';
import { KERNEL } from './kernel.ts';
import { Top } from './top.ts';
import type { Found, Metric } from './vector.ts';

interface Kernel {
  dot(rows: number, list: number, count: number, width: number, out: number): void;
  near(rows: number, list: number, count: number, width: number, out: number): void;
}

const PAGE = 65_536;
const MOST_PAGES = 65_536;
/** Rows that one call of the kernel compares. */
const BLOCK = 4_096;
/** Bytes of rows that are read before the event loop gets a turn, about 4 ms. */
const SLICE = 32 * 2 ** 20;

let compiled: WebAssembly.Module | undefined;

/** Vectors in one piece of memory, compared one by one with the query: exact search. Keys are added in ascending order. */
export class Matrix {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly #width: number;
  readonly #rows: number;
  readonly #memory: WebAssembly.Memory;
  readonly #kernel: Kernel;
  #bytes: Uint8Array;
  #floats: Float32Array;
  #keys = new Float64Array(64);
  #removed = new Uint8Array(64);
  #used = 0;
  #dead = 0;
  #searches = 0;

  constructor(dimensions: number, metric: Metric) {
    this.dimensions = dimensions;
    this.metric = metric;
    this.#width = widthOf(dimensions);
    this.#rows = this.#width + 8 * BLOCK;
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil((this.#rows + this.#width) / PAGE), maximum: MOST_PAGES });
    this.#kernel = instantiate(this.#memory);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#floats = new Float32Array(this.#memory.buffer);
  }

  /** Vectors that can be found. */
  get count(): number {
    return this.#used - this.#dead;
  }

  get sizeBytes(): number {
    return this.#memory.buffer.byteLength + 9 * this.#keys.length;
  }

  /** The key that was added last, 0 at first. */
  get lastKey(): number {
    return this.#used === 0 ? 0 : (this.#keys[this.#used - 1] as number);
  }

  /** Adds the vector of a key beyond all earlier ones, as little-endian floats. Throws INTERNAL for another length or order. */
  add(key: number, vector: Uint8Array): void {
    if (vector.byteLength !== 4 * this.dimensions || key <= this.lastKey)
      throw new ScriptError('INTERNAL', `the vector ${key} of ${vector.byteLength} bytes does not fit behind ${this.lastKey}`);
    const at = this.#rows + this.#used * this.#width;
    if (at + this.#width > this.#bytes.length) this.#grow(at + this.#width);
    if (this.#used === this.#keys.length) this.#lengthen();
    this.#bytes.set(vector, at);
    this.#keys[this.#used] = key;
    this.#removed[this.#used] = 0;
    this.#used++;
  }

  /** Forgets everything and keeps the memory. */
  clear(): void {
    this.#used = 0;
    this.#dead = 0;
  }

  /** Forgets the keys from `first` to `last`. */
  remove(first: number, last: number): void {
    for (let row = this.#rowFrom(first); row < this.#used && (this.#keys[row] as number) <= last; row++) {
      if (this.#removed[row] === 0) this.#dead++;
      this.#removed[row] = 1;
    }
    if (this.#dead > 1_024 && this.#dead > this.#used / 2 && this.#searches === 0) this.#compact();
  }

  /** The nearest vectors, best first. The event loop gets turns between slices of a large search. */
  async search(query: Float32Array, limit: number): Promise<Found[]> {
    return this.#search(query, limit, this.#used);
  }

  /** The same among some keys; unknown ones are left out. */
  async searchAmong(query: Float32Array, limit: number, keys: readonly number[]): Promise<Found[]> {
    const rows: number[] = [];
    for (const key of keys) {
      const row = this.#rowFrom(key);
      if (row < this.#used && this.#keys[row] === key && this.#removed[row] === 0) rows.push(row);
    }
    return this.#search(query, limit, rows.length, rows);
  }

  /** The keys that can be found, ascending. */
  keys(): number[] {
    return Array.from(this.#keys.subarray(0, this.#used)).filter((_, row) => this.#removed[row] === 0);
  }

  async #search(query: Float32Array, limit: number, count: number, rows?: readonly number[]): Promise<Found[]> {
    const top = new Top(limit);
    const slice = Math.max(BLOCK, Math.floor(SLICE / this.#width));
    this.#searches++;
    try {
      for (let from = 0; from < count; ) {
        this.#ask(query);
        const to = Math.min(count, from + slice);
        for (; from < to; from += BLOCK) this.#compare(top, from, Math.min(to, from + BLOCK), rows);
        from = to;
        if (from < count) await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.#searches--;
    }
    return top.found();
  }

  #ask(query: Float32Array): void {
    this.#floats.fill(0, 0, this.#width >> 2);
    this.#floats.set(query, 0);
  }

  #compare(top: Top, from: number, to: number, rows: readonly number[] | undefined): void {
    const count = to - from;
    const list = this.#width + 4 * BLOCK;
    if (rows) new Uint32Array(this.#memory.buffer, list, count).set(rows.slice(from, to));
    const first = rows ? this.#rows : this.#rows + from * this.#width;
    this.#kernel[this.metric === 'l2' ? 'near' : 'dot'](first, rows ? list : 0, count, this.#width, this.#width);
    const scores = new Float32Array(this.#memory.buffer, this.#width, count);
    for (let i = 0; i < count; i++) {
      const score = scores[i] as number;
      const row = rows ? (rows[from + i] as number) : from + i;
      if (score >= top.threshold && this.#removed[row] === 0) top.add(this.#keys[row] as number, score);
    }
  }

  /** The first row whose key is at least this one. */
  #rowFrom(key: number): number {
    let low = 0;
    for (let high = this.#used; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as number) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(bytes: number): void {
    const has = this.#memory.buffer.byteLength / PAGE;
    const needs = Math.ceil(bytes / PAGE);
    try {
      this.#memory.grow(Math.min(MOST_PAGES, Math.max(needs, Math.ceil(has * 1.5))) - has);
    } catch (error) {
      throw new ScriptError('LIMIT_EXCEEDED', `${this.#used + 1} vectors of ${this.dimensions} numbers do not fit into memory`, { cause: error });
    }
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#floats = new Float32Array(this.#memory.buffer);
  }

  #lengthen(): void {
    const [keys, removed] = [new Float64Array(2 * this.#keys.length), new Uint8Array(2 * this.#keys.length)];
    keys.set(this.#keys);
    removed.set(this.#removed);
    this.#keys = keys;
    this.#removed = removed;
  }

  #compact(): void {
    let to = 0;
    for (let row = 0; row < this.#used; row++) {
      if (this.#removed[row] !== 0) continue;
      if (to !== row) {
        const at = this.#rows + row * this.#width;
        this.#bytes.copyWithin(this.#rows + to * this.#width, at, at + this.#width);
        this.#keys[to] = this.#keys[row] as number;
        this.#removed[to] = 0;
      }
      to++;
    }
    this.#used = to;
    this.#dead = 0;
  }
}

/** Bytes of one row: a multiple of 64, since the kernel reads so many at once. */
function widthOf(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 64;
}

function instantiate(memory: WebAssembly.Memory): Kernel {
  compiled ??= checkKernel(new WebAssembly.Module(new Uint8Array(Buffer.from(KERNEL, 'base64'))));
  return kernelOf(compiled, memory);
}

function kernelOf(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernel {
  return new WebAssembly.Instance(module, { host: { memory } }).exports as Kernel;
}

/** Compares a kernel with plain code before it is used. Throws INTERNAL when they differ. */
export function checkKernel(module: WebAssembly.Module): WebAssembly.Module {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const kernel = kernelOf(module, memory);
  const floats = new Float32Array(memory.buffer);
  const [width, out, list, rows] = [128, 1_024, 2_048, 4_096];
  for (let i = 0; i < 32; i++) floats[i] = Math.sin(i + 1);
  for (let i = 0; i < 5 * 32; i++) floats[rows / 4 + i] = Math.cos(3 * i);
  new Uint32Array(memory.buffer, list, 3).set([4, 0, 2]);
  for (const name of ['dot', 'near'] as const) {
    for (const order of [
      [0, 1, 2, 3, 4],
      [4, 0, 2],
    ]) {
      kernel[name](rows, order.length === 3 ? list : 0, order.length, width, out);
      order.forEach((row, at) => {
        let sum = 0;
        for (let i = 0; i < 32; i++) {
          const [a, b] = [floats[i] as number, floats[rows / 4 + row * 32 + i] as number];
          sum += name === 'dot' ? a * b : -((a - b) ** 2);
        }
        if (!(Math.abs(sum - (floats[out / 4 + at] as number)) < 1e-4))
          throw new ScriptError('INTERNAL', `the vector kernel of this installation computes wrong values (${name}); install llmspell again`);
      });
    }
  }
  return module;
}
