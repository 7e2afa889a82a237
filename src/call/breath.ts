import { type Cpu, scriptsMs } from './cpu.ts';
import type { Soon } from './soon.ts';

/** How long work of the host that never waits may hold the event loop in one of its turns, ms. */
const TURN_MS = 4;

interface Turn {
  /** When it ends; resolves in the next. */
  readonly until: number;
  readonly over: Promise<void>;
  /** The runs that work is done for in it. */
  readonly runs: Set<Cpu>;
}

let turn: Turn | undefined;

/**
 * Asked between the parts of such work: a promise when this turn's time is used up, which resolves in the next, or rejects where the run has ended. What
 * the host has computed in a turn, scripts aside, counts as computed by the runs that asked in it, in equal parts.
 */
export function breathe(cpu: Cpu): void | Promise<void> {
  const now = performance.now();
  turn ??= begin(now);
  turn.runs.add(cpu);
  if (now < turn.until) return undefined;
  return cpu.ended ? Promise.reject(cpu.ended) : turn.over;
}

/** Does work that takes much of a turn by itself in one that has time left: of many that wait no more in each than fit. */
export function inOneTurn<T>(cpu: Cpu, work: () => Soon<T>): Soon<T> {
  const breath = breathe(cpu);
  return breath ? breath.then(() => inOneTurn(cpu, work)) : work();
}

function begin(now: number): Turn {
  const scripts = scriptsMs();
  const runs = new Set<Cpu>();
  const over = new Promise<void>((done) => {
    setImmediate(() => {
      turn = undefined;
      const spent = Math.max(0, performance.now() - now - (scriptsMs() - scripts));
      for (const cpu of runs) cpu.host(spent / runs.size);
      done();
    });
  });
  return { until: now + TURN_MS, over, runs };
}

/** Does work for a run in steps until one says that it was the last: now where that is soon, else over several turns of the event loop. Throws what the run ends with before. */
export function inTurns(cpu: Cpu, step: () => boolean): Soon<void> {
  while (!step()) {
    const breath = breathe(cpu);
    if (breath) return breath.then(() => inTurns(cpu, step));
  }
}

/** As `inTurns`, for work written as a generator, which yields between its steps and returns what it comes to; where the run ends before, it returns early. */
export function doneInTurns<T>(cpu: Cpu, steps: Iterator<undefined, T>): Soon<T> {
  let last = steps.next();
  const step = () => {
    if (!last.done) last = steps.next();
    return last.done === true;
  };
  if (last.done) return last.value;
  const done = inTurns(cpu, step);
  if (!(done instanceof Promise)) return last.value as T;
  return done.then(
    () => last.value as T,
    (error: unknown) => {
      steps.return?.();
      throw error;
    },
  );
}

/** Does such work at once. */
export function doneAtOnce<T>(steps: Iterator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}
