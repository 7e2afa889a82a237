/** How long work of the host that never waits may hold the event loop in one of its turns, ms. */
const TURN_MS = 4;

let turn: Promise<void> | undefined;
let end = 0;

/** Asked between the parts of such work: a promise when this turn's time is used up, which resolves in the next. */
export function breathe(): void | Promise<void> {
  const now = performance.now();
  if (turn) return now < end ? undefined : turn;
  end = now + TURN_MS;
  turn = new Promise((done) => {
    setImmediate(() => {
      turn = undefined;
      done();
    });
  });
}
