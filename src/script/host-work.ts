import { ScriptError } from '../errors.ts';
import { threadMs } from './thread.ts';

/** What reading or making values may take of the thread's time in one turn, ms: a full heap makes each allocation a collection, of which none can be cut. */
const MOST_HOST_MS = 300;

/** Bounds what the host does at a stretch for a script whose frames are below its own: neither can be paused. */
export class HostWork {
  readonly #memoryMb: number;
  readonly #kill: (error: ScriptError) => void;
  /** Where the thread's clock stood at the first look. */
  #since: number | undefined;

  /** `kill` ends the instance when its work takes too long. */
  constructor(memoryMb: number, kill: (error: ScriptError) => void) {
    this.#memoryMb = memoryMb;
    this.#kill = kill;
  }

  /** The script, or others, have had the thread since. */
  ends(): void {
    this.#since = undefined;
  }

  /** True while the work may go on; throws LIMIT_EXCEEDED, and ends the instance, when it has taken too long in this turn. */
  goesOn(): true {
    this.#since ??= threadMs();
    if (threadMs() - this.#since <= MOST_HOST_MS) return true;
    const error = new ScriptError('LIMIT_EXCEEDED', `a value took too long to pass: it is too large, or the script is at limits.memory_mb = ${this.#memoryMb}`);
    this.#kill(error);
    throw error;
  }
}
