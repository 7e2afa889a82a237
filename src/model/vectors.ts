import { modelFailed } from './failure.ts';

/** A model's vectors at length 1. Throws MODEL_FAILED unless there is one for each text, all of one length, finite and not zero. */
export function toVectors(model: string, texts: number, vectors: readonly (readonly number[] | Float32Array)[]): Float32Array[] {
  const wrong = (problem: string) => modelFailed(model, `the provider's answer cannot be used: ${problem}`, { outcome: 'failed', retryable: false });
  if (vectors.length !== texts) throw wrong(`${texts} texts were sent and ${vectors.length} vectors came back`);
  const dimensions = vectors[0]?.length ?? 0;
  return vectors.map((vector, at) => {
    if (vector.length !== dimensions || dimensions === 0) throw wrong(`vector ${at + 1} has ${vector.length} numbers and the first ${dimensions}`);
    const result = normalise(vector);
    if (!result) throw wrong(`vector ${at + 1} is zero or holds what is no finite number`);
    return result;
  });
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
