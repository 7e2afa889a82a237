/** How the made vectors lie: `clustered` like embeddings of texts (topics in few directions of many), `random` in all directions alike. */
export type Shape = 'clustered' | 'random';

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32, Tommy Ettinger). */
export function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TOPICS = 500;
/** Directions in which embeddings of texts really differ. */
const LATENT = 32;

/**
 * Unit vectors, one behind the other; the same for the same arguments. The last ones are good queries for the first ones: all are of one kind.
 * Clustered ones are sums of a topic and a text's own part in 32 directions, and a little noise in all directions.
 */
export function makeVectors(count: number, dimensions: number, shape: Shape, seed = 1): Float32Array {
  const next = numbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const directions = Float32Array.from({ length: LATENT * dimensions }, normal);
  const topics = Float32Array.from({ length: TOPICS * LATENT }, normal);
  const vectors = new Float32Array(count * dimensions);
  for (let at = 0; at < count; at++) {
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    if (shape === 'clustered') {
      const topic = Math.floor(next() ** 2 * TOPICS) * LATENT;
      for (let part = 0; part < LATENT; part++) {
        const weight = (topics[topic + part] as number) + 0.7 * normal();
        for (let d = 0; d < dimensions; d++) vector[d] = (vector[d] as number) + weight * (directions[part * dimensions + d] as number);
      }
      for (let d = 0; d < dimensions; d++) vector[d] = (vector[d] as number) + 0.3 * normal();
    } else for (let d = 0; d < dimensions; d++) vector[d] = normal();
    const by = 1 / Math.hypot(...vector);
    for (let d = 0; d < dimensions; d++) vector[d] = (vector[d] as number) * by;
  }
  return vectors;
}
