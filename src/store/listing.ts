import type { Charge, ListOptions } from './store.ts';

/** What a text takes beside its own bytes, about. */
const EACH_BYTES = 32;

/** Keys or scopes that are being listed; until that is done they count among what the run keeps that they are for. */
export class Listing implements Disposable {
  readonly texts: string[] = [];
  readonly #limit: number;
  readonly #most: number;
  readonly #charge: Charge | undefined;
  #bytes = 0;
  #counted = 0;

  constructor({ limit = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY }: Pick<ListOptions, 'limit' | 'bytes'> = {}, charge?: Charge) {
    this.#limit = limit;
    this.#most = bytes;
    this.#charge = charge;
  }

  get full(): boolean {
    return this.texts.length >= this.#limit || this.#bytes > this.#most;
  }

  /** Throws LIMIT_EXCEEDED where that is more than the run may keep. */
  add(text: string): void {
    const bytes = text.length + EACH_BYTES;
    const { run, method = 'the list' } = this.#charge ?? {};
    run?.kept?.count(method, bytes);
    this.#counted += bytes;
    this.#bytes += text.length;
    this.texts.push(text);
  }

  [Symbol.dispose](): void {
    this.#charge?.run.kept?.release(this.#counted);
    this.#counted = 0;
  }
}
