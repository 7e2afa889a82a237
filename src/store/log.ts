import { statSync } from 'node:fs';
import type { Readers } from './readers.ts';

/** SQLite moves a log of so many pages into the database with the write that makes it so long: some milliseconds' work. */
const AUTOMATIC_PAGES = 1_000;
/** A log that is longer, because somebody read while others wrote, is moved in a thread, bytes. */
const LARGE = 8 * 2 ** 20;
/** Beyond this writes wait for that. */
const HUGE = 64 * 2 ** 20;
/** How often its length is looked at, and how long after it could not be moved, for somebody elsewhere reads, that is tried again; ms. */
const LOOK_MS = 5;
const AGAIN_MS = 1_000;

interface LogOptions {
  /** Says after how many pages a write moves the log itself, 0 for never. */
  readonly setAutomatic: (pages: number) => void;
  /** Moves it into the database in a thread. */
  readonly empty: () => Promise<void>;
  /** Does it when what writes in threads, or waits to, is done. */
  readonly inLine: (work: () => Promise<void>) => Promise<void>;
  readonly readers: Readers;
}

/** Keeps the write-ahead log of a database short without holding the event loop. A log begins anew only when all of it is moved and nobody reads it, so readers make a break for that. */
export class Log {
  readonly #path: string;
  readonly #options: LogOptions;
  #lookAt = 0;
  #againAt = 0;
  #large = false;
  #huge = false;
  #emptying: Promise<void> | undefined;

  constructor(path: string, options: LogOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Asked before each write: a promise where it has to wait for the log to become shorter. */
  tend(): Promise<void> | undefined {
    const now = performance.now();
    if (now >= this.#lookAt) this.#look(now);
    return this.#huge ? this.#emptying : undefined;
  }

  /** As `tend`, where the log may have become long or can be moved since: something large was written, or somebody has ended reading. */
  changed(): void {
    this.#lookAt = 0;
    this.tend();
  }

  #look(now: number): void {
    this.#lookAt = now + LOOK_MS;
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#huge = size > HUGE;
    if (size > LARGE !== this.#large) {
      this.#large = size > LARGE;
      this.#options.setAutomatic(this.#large ? 0 : AUTOMATIC_PAGES);
    }
    if (this.#large && !this.#emptying && now >= this.#againAt) this.#emptying = this.#empty();
  }

  async #empty(): Promise<void> {
    try {
      const { inLine, readers, empty } = this.#options;
      // The break begins when its turn has come: nobody stops reading for what somebody writes before.
      await inLine(() => readers.between(empty));
    } catch {
      // It stays as it is, and is whole: the next one tries again.
    }
    const now = performance.now();
    this.#againAt = now + AGAIN_MS;
    this.#look(now);
    this.#emptying = undefined;
    if (!this.#large) this.#againAt = now;
  }
}
