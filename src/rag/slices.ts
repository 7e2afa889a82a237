/** How long work goes on before others get a turn, ms. */
const SLICE_MS = 8;

/** Lets others have a turn where long work has gone on for a while; awaited between its steps. */
export function slices(): () => Promise<void> | undefined {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < SLICE_MS) return undefined;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      begun = performance.now();
    });
  };
}
