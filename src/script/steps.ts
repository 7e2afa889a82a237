/** Given instead of a value, or of its end, while others have their turn: what was begun goes on with `more`. */
export const UNFINISHED = Symbol('unfinished');
export type Unfinished = typeof UNFINISHED;

/** Longer texts and bytes make a value large, and go in in pieces of this size. */
export const LONG_TEXT = 65_536;
/** Parts of a value between two looks at the clock. */
const PARTS_PER_LOOK = 512;

/** Tells a reader or writer of values when to stop for others. */
export class Steps {
  readonly #due: () => boolean;
  #parts = 0;
  /** Whether what was begun last is so large that what comes after it may deserve a turn of its own. */
  large = false;

  /** `due` is asked now and then: true when others should have their turn; it throws when all took too long. */
  constructor(due: () => boolean) {
    this.#due = due;
  }

  begin(): void {
    this.#parts = 0;
    this.large = false;
  }

  /** Counts a part; true when it is time to stop. */
  stop(): boolean {
    if (++this.#parts < PARTS_PER_LOOK) return false;
    this.#parts = 0;
    return this.look();
  }

  /** Counts parts that passed at once, and the length of their texts. */
  count(parts: number, length: number): void {
    this.#parts += parts + Math.floor((length * PARTS_PER_LOOK) / LONG_TEXT);
  }

  /** The part that comes next is followed by a look at the clock. */
  weigh(): false {
    this.#parts = PARTS_PER_LOOK - 1;
    return false;
  }

  /** A part that is large by itself, a long text, has passed: true when it is time to stop. */
  look(): boolean {
    this.large = true;
    return this.#due();
  }
}
