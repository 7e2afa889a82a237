import { KERNEL } from '../../src/vector/kernel.ts';

interface Kernel {
  dot(rows: number, list: number, count: number, width: number, out: number): void;
}

/** Writes into `out` the product of each of `rows` rows of `a` with each of `others` rows of `b`, of `width` numbers (a multiple of 16). */
export type Product = (a: Float32Array, rows: number, b: Float32Array, others: number, width: number, out: Float32Array) => void;

/** The kernel of exact search, which takes four numbers at once, as a product of matrices of so many numbers at most. */
export function createProduct(most: number): Product {
  const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * 4 * most) / 65_536) });
  const kernel = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(KERNEL, 'base64')), { host: { memory } }).exports as unknown as Kernel;
  const floats = new Float32Array(memory.buffer);
  return (a, rows, b, others, width, out) => {
    const from = most;
    const to = 2 * most;
    floats.set(b.subarray(0, others * width), from);
    for (let row = 0; row < rows; row++) {
      floats.set(a.subarray(row * width, (row + 1) * width), 0);
      kernel.dot(4 * from, 0, others, 4 * width, 4 * (to + row * others));
    }
    out.set(floats.subarray(to, to + rows * others));
  };
}

/** The columns of a matrix as rows. */
export function transpose(matrix: Float32Array, rows: number, columns: number, out: Float32Array): Float32Array {
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = matrix[row * columns + column] as number;
  return out;
}
