import { middleOf } from './row.ts';
import { numbers } from './vectors.ts';

const SAMPLES = 2_000;

/** The median of measured ratios and its 95 % interval, by the bootstrap (Efron, 1979). */
export function bootstrapRatio(ratios: readonly number[]): { readonly low: number; readonly middle: number; readonly high: number } {
  const next = numbers(1);
  const drawn = () => middleOf(ratios.map(() => ratios[Math.floor(next() * ratios.length)] as number));
  const medians = Array.from({ length: SAMPLES }, drawn).sort((a, b) => a - b);
  return { low: medians[Math.floor(0.025 * SAMPLES)] as number, middle: middleOf(ratios), high: medians[Math.floor(0.975 * SAMPLES)] as number };
}
