import { FlatText, release, TEXT_PIECE } from '../../call/long-text.ts';
import { LONG_TEXT } from '../steps.ts';
import { ROPE, TAG } from './exports.ts';
import type { Heap } from './heap.ts';

/** A string or rope of the engine on its way out, in steps; it must stay where it is. */
export class LongString {
  readonly #heap: Heap;
  /** Where values are whose texts make the rest, the next one last. */
  readonly #rest: number[];
  readonly #wide: boolean;
  readonly #size: number;
  /** What a rope's parts are gathered in. */
  #gathered: Buffer | undefined;
  #written = 0;
  /** How much of the next part is gathered, bytes. */
  #from = 0;
  #flat: FlatText | undefined;
  text = '';

  /** Of the value at an address. */
  constructor(heap: Heap, at: number) {
    const string = heap.pointer(at);
    this.#heap = heap;
    this.#rest = [at];
    const tag = heap.tag(at);
    this.#wide = heap.isWide(tag, string);
    const length = heap.stringBytes(string);
    this.#size = tag === TAG.rope && this.#wide ? length * 2 : length;
    if (length <= LONG_TEXT) this.text = heap.text(tag, string);
    else if (tag === TAG.rope) this.#gathered = Buffer.allocUnsafeSlow(this.#size);
    else this.#flat = new FlatText(() => heap.bytes, heap.characters(string), heap.characters(string) + this.#size, this.#wide);
  }

  /** Goes on with the next piece; true when the text is there. */
  step(): boolean {
    const flat = this.#flat;
    const gathered = this.#gathered;
    if (flat?.step()) {
      this.text = flat.text;
      if (gathered) release(gathered);
      return true;
    }
    if (flat) return false;
    if (!gathered) return true;
    for (const end = this.#written + TEXT_PIECE; this.#written < end && this.#rest.length > 0; ) this.#gather(gathered);
    if (this.#rest.length === 0) this.#flat = new FlatText(() => gathered, 0, this.#size, this.#wide);
    return false;
  }

  /** Goes into a rope, or gathers a piece of a string. */
  #gather(gathered: Buffer): void {
    const heap = this.#heap;
    const at = this.#rest.pop() as number;
    const string = heap.pointer(at);
    if (heap.tag(at) === TAG.rope) {
      this.#rest.push(string + ROPE.right, string + ROPE.left);
      return;
    }
    const size = heap.stringBytes(string);
    const start = heap.characters(string) + this.#from;
    const end = Math.min(start + TEXT_PIECE, start + size - this.#from);
    if (this.#wide && !heap.isWide(TAG.string, string)) this.#written += gathered.write(heap.bytes.latin1Slice(start, end), this.#written, 'utf16le');
    else this.#written += heap.bytes.copy(gathered, this.#written, start, end);
    this.#from += end - start;
    if (this.#from < size) this.#rest.push(at);
    else this.#from = 0;
  }
}
