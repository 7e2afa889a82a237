import { createProduct, transpose } from './product.ts';

/** Bags of numbered words, one after another: those of text `i` are from `starts[i]` to `starts[i + 1]`. */
export interface Bags {
  readonly starts: Int32Array;
  readonly words: Int32Array;
  readonly weights: Float32Array;
}

export interface TrainingOptions {
  readonly dimensions: number;
  /** Pairs that are told from each other. */
  readonly batch: number;
  readonly epochs: number;
  readonly rate: number;
  /** By how much a cosine is multiplied: the inverse of the softmax's temperature. */
  readonly scale: number;
  /** The share of batches whose pairs are of one source, which are harder to tell apart. */
  readonly alike: number;
  readonly seed: number;
}

/**
 * Learns a vector for each of so many words, at first of chance, such that the sums of two texts of a pair point the same way, and those of other pairs of the batch do
 * not (InfoNCE both ways: van den Oord and others, Representation Learning with Contrastive Predictive Coding, 2018; Adagrad, one rate a word).
 * How long a vector becomes is how much its word says. The same input gives the same output.
 */
export function train(count: number, short: Bags, long: Bags, source: Int32Array, options: TrainingOptions, told: (line: string) => void): Float32Array {
  const { dimensions: D, batch: B, epochs, scale } = options;
  const random = seeded(options.seed);
  const table = Float32Array.from({ length: count * D }, () => 0.1 * normal(random));
  const rates = new Float32Array(count).fill(1e-4);
  const gradient = new Float32Array(count * D);
  const q = new Float32Array(B * D);
  const p = new Float32Array(B * D);
  const [dq, dp] = [new Float32Array(B * D), new Float32Array(B * D)];
  const [nq, np] = [new Float64Array(B), new Float64Array(B)];
  const scores = new Float32Array(B * B);
  const slopes = new Float32Array(B * B);
  const turned = new Float32Array(B * B);
  const columns = new Float32Array(B * D);
  const product = createProduct(B * Math.max(B, D));
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const batches = batchesOf(source, B, options.alike, random);
    let loss = 0;
    for (const [number, batch] of batches.entries()) {
      sums(table, D, short, batch, q, nq);
      sums(table, D, long, batch, p, np);
      product(q, B, p, B, D, scores);
      loss += slope(scores, B, scale, slopes);
      product(slopes, B, transpose(p, B, D, columns), D, B, dq);
      product(transpose(slopes, B, B, turned), B, transpose(q, B, D, columns), D, B, dp);
      const touched = new Set<number>();
      backward(dq, q, nq, D, short, batch, gradient, touched);
      backward(dp, p, np, D, long, batch, gradient, touched);
      const rate = options.rate * (1 - step++ / (batches.length * epochs));
      for (const word of touched) update(table, gradient, rates, word, D, rate);
      if (number % 200 === 199) told(`epoch ${epoch + 1}, batch ${number + 1} of ${batches.length}: loss ${(loss / (number + 1)).toFixed(3)}`);
    }
  }
  return table;
}

function batchesOf(source: Int32Array, size: number, alike: number, random: () => number): Int32Array[] {
  const order = shuffled(
    Array.from(source, (_, at) => at),
    random,
  );
  const cut = Math.floor(order.length * alike);
  const bySource = order.slice(0, cut).sort((a, b) => (source[a] as number) - (source[b] as number));
  const batches: Int32Array[] = [];
  for (const part of [bySource, order.slice(cut)])
    for (let at = 0; at + size <= part.length; at += size) batches.push(Int32Array.from(part.slice(at, at + size)));
  return shuffled(batches, random);
}

/** The sums of the texts' words at length 1, and how long they were. */
function sums(table: Float32Array, D: number, bags: Bags, batch: Int32Array, into: Float32Array, lengths: Float64Array): void {
  into.fill(0);
  for (const [row, text] of batch.entries()) {
    for (let at = bags.starts[text] as number; at < (bags.starts[text + 1] as number); at++) {
      const from = (bags.words[at] as number) * D;
      const by = bags.weights[at] as number;
      for (let k = 0; k < D; k++) into[row * D + k] = (into[row * D + k] as number) + by * (table[from + k] as number);
    }
    let square = 0;
    for (let k = row * D; k < (row + 1) * D; k++) square += (into[k] as number) ** 2;
    const length = Math.sqrt(square) + 1e-6;
    lengths[row] = length;
    for (let k = row * D; k < (row + 1) * D; k++) into[k] = (into[k] as number) / length;
  }
}

/** The loss, of cosines, and its derivatives: the mean of both softmaxes, less 1 for the right ones. */
function slope(scores: Float32Array, B: number, scale: number, into: Float32Array): number {
  for (let at = 0; at < scores.length; at++) scores[at] = scale * (scores[at] as number);
  into.fill(0);
  let loss = 0;
  for (const [across, down] of [
    [B, 1],
    [1, B],
  ] as const) {
    for (let i = 0; i < B; i++) {
      let most = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < B; j++) most = Math.max(most, scores[i * across + j * down] as number);
      let total = 0;
      for (let j = 0; j < B; j++) total += Math.exp((scores[i * across + j * down] as number) - most);
      for (let j = 0; j < B; j++) {
        const at = i * across + j * down;
        into[at] = (into[at] as number) + (0.5 * Math.exp((scores[at] as number) - most)) / total;
      }
      loss += (most + Math.log(total) - (scores[i * (B + 1)] as number)) / (2 * B);
    }
  }
  for (let i = 0; i < B; i++) into[i * (B + 1)] = (into[i * (B + 1)] as number) - 1;
  const by = (scale * 8) / B;
  for (let at = 0; at < into.length; at++) into[at] = (into[at] as number) * by;
  return loss;
}

/** Through the length and the sum to the words. */
function backward(
  d: Float32Array,
  unit: Float32Array,
  lengths: Float64Array,
  D: number,
  bags: Bags,
  batch: Int32Array,
  gradient: Float32Array,
  touched: Set<number>,
): void {
  for (const [row, text] of batch.entries()) {
    let along = 0;
    for (let k = row * D; k < (row + 1) * D; k++) along += (d[k] as number) * (unit[k] as number);
    for (let k = row * D; k < (row + 1) * D; k++) d[k] = ((d[k] as number) - along * (unit[k] as number)) / (lengths[row] as number);
    for (let at = bags.starts[text] as number; at < (bags.starts[text + 1] as number); at++) {
      const word = bags.words[at] as number;
      const by = bags.weights[at] as number;
      touched.add(word);
      for (let k = 0, to = word * D; k < D; k++, to++) gradient[to] = (gradient[to] as number) + by * (d[row * D + k] as number);
    }
  }
}

function update(table: Float32Array, gradient: Float32Array, rates: Float32Array, word: number, D: number, rate: number): void {
  let square = 0;
  for (let at = word * D; at < (word + 1) * D; at++) square += (gradient[at] as number) ** 2;
  rates[word] = (rates[word] as number) + square / D;
  const by = rate / Math.sqrt(rates[word] as number);
  for (let at = word * D; at < (word + 1) * D; at++) {
    table[at] = (table[at] as number) - by * (gradient[at] as number);
    gradient[at] = 0;
  }
}

/** Numbers from 0 to 1 that a seed gives again (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In an order that chance gives, in place (Fisher and Yates). */
export function shuffled<T>(list: T[], random: () => number): T[] {
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
  return list;
}

/** Nearly a normal distribution: twelve numbers from 0 to 1, less 6. */
function normal(random: () => number): number {
  let sum = -6;
  for (let at = 0; at < 12; at++) sum += random();
  return sum;
}
