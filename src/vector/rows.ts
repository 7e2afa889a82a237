import { ScriptError } from '../errors.ts';
import type { Metric } from './vector.ts';

/** Squares beyond this have no 32-bit float. */
const MOST_SQUARE = 3e38;

/**
 * A vector as it is compared: of length 1 for cosine, unchanged for the others.
 * Throws BAD_ARGUMENT for another number of dimensions, numbers that are not finite, and for cosine the zero vector, which has no direction.
 */
export function comparable(vector: Float32Array, dimensions: number, metric: Metric, name: string): Float32Array {
  if (vector.length !== dimensions) throw wrong(name, `${dimensions} numbers`, String(vector.length));
  let square = 0;
  for (let at = 0; at < vector.length; at++) {
    const number = vector[at] as number;
    if (!Number.isFinite(number)) throw wrong(name, 'finite numbers', `${number} at ${at + 1}`);
    square += number * number;
  }
  if (metric !== 'cosine') {
    if (square > MOST_SQUARE) throw wrong(name, 'a length below 1e19', Math.sqrt(square).toExponential(2));
    return vector;
  }
  if (square === 0) throw wrong(name, 'a vector with a direction', 'only zeros');
  if (Math.abs(square - 1) < 1e-6) return vector;
  const by = 1 / Math.sqrt(square);
  return vector.map((number) => number * by);
}

/** The bytes of a vector, little-endian. */
export function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

/** The vector of stored bytes. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return bytes.byteOffset % 4 === 0 ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2) : new Float32Array(bytes.slice().buffer);
}

function wrong(name: string, wanted: string, got: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `${name}: expected ${wanted}, got ${got}`);
}
