import { closeSync, readSync } from 'node:fs';
import { inTurns } from '../../call/breath.ts';
import type { Cpu } from '../../call/cpu.ts';
import { type Soon, whenReady } from '../../call/soon.ts';
import { ScriptError } from '../../errors.ts';
import { type Caller, type Opened, openForReading } from './access.ts';

/** What a tool reads of one file at most, bytes. */
export const MOST_FILE_BYTES = 16 * 2 ** 20;

/** The bytes of a file. Throws LIMIT_EXCEEDED beyond `most`. */
export function readBytes(context: Caller, path: string, most = MOST_FILE_BYTES): Buffer {
  const file = openForReading(context, path, 'file');
  try {
    if (file.stats.size > most)
      throw new ScriptError(
        'LIMIT_EXCEEDED',
        `${context.method}: ${path} has ${file.stats.size} bytes, more than the ${most} that are read at most; give offset and length`,
      );
    return readRange(file, 0, most);
  } finally {
    closeSync(file.fd);
  }
}

/** Part of an open file: up to `length` bytes from `offset`. */
export function readRange(file: Opened, offset: number, length: number): Buffer {
  const reading = new Reading(file, offset, length);
  while (!reading.step());
  return reading.bytes;
}

/** As `readRange`, for a run, over several turns of the event loop where it is much. */
export function readRangeSoon(cpu: Cpu, file: Opened, offset: number, length: number): Soon<Buffer> {
  const reading = new Reading(file, offset, length);
  return whenReady(inTurns(cpu, reading.step), () => reading.bytes);
}

/** Bytes that are read at once. */
const PIECE = 2 ** 20;

class Reading {
  readonly #fd: number;
  readonly #offset: number;
  readonly #buffer: Buffer;
  #filled = 0;

  constructor({ fd, stats }: Opened, offset: number, length: number) {
    this.#fd = fd;
    this.#offset = offset;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, stats.size - offset)));
  }

  /** Reads a piece; true when all is read, or the file ends before. */
  readonly step = (): boolean => {
    const wanted = Math.min(PIECE, this.#buffer.length - this.#filled);
    const count = wanted === 0 ? 0 : readSync(this.#fd, this.#buffer, this.#filled, wanted, this.#offset + this.#filled);
    this.#filled += count;
    return count === 0;
  };

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#filled);
  }
}
