/** Milliseconds to the microsecond; the digits behind are noise. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

/** Milliseconds since a reading of `performance.now()`, to the microsecond. */
export function elapsedMs(since: number): number {
  return roundMs(performance.now() - since);
}
