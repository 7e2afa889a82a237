import { describe } from '../call/check/failure.ts';
import { modelFailed } from './failure.ts';

/**
 * A model's answer as vectors at length 1. Throws MODEL_FAILED unless it holds one for each text, all of one length, that of `dimensions` where the
 * model says it, finite and not zero.
 */
export function toVectors(model: string, texts: number, answer: unknown, dimensions?: number): Float32Array[] {
  const wrong = (problem: string) => modelFailed(model, `the answer cannot be used: ${problem}`, { outcome: 'failed', retryable: false });
  if (!Array.isArray(answer)) throw wrong(`expected an array of vectors, got ${describe(answer)}`);
  if (answer.length !== texts) throw wrong(`${texts} texts were sent and ${answer.length} vectors came back`);
  const wanted = dimensions ?? (answer[0] as { length?: number } | null | undefined)?.length ?? 0;
  return Array.from(answer, (vector: unknown, at) => {
    if (!isNumbers(vector)) throw wrong(`vector ${at + 1}: expected an array of numbers, got ${describe(vector)}`);
    if (vector.length !== wanted || wanted === 0)
      throw wrong(`vector ${at + 1} has ${vector.length} numbers and ${dimensions === undefined ? 'the first' : 'the model says'} ${wanted}`);
    const result = normalise(vector);
    if (!result) throw wrong(`vector ${at + 1} is zero or holds what is no finite number`);
    return result;
  });
}

function isNumbers(value: unknown): value is readonly number[] | Float32Array {
  return value instanceof Float32Array || value instanceof Float64Array || (Array.isArray(value) && value.every((one) => typeof one === 'number'));
}

/** The vector at length 1; undefined when it is zero or not finite. */
export function normalise(vector: readonly number[] | Float32Array): Float32Array | undefined {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += (vector[at] as number) ** 2;
  const length = Math.sqrt(sum);
  if (!(length > 0) || !Number.isFinite(length)) return undefined;
  const result = new Float32Array(vector.length);
  for (let at = 0; at < result.length; at++) result[at] = (vector[at] as number) / length;
  return result;
}
