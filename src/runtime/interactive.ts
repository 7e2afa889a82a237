import { checkValue, text as string } from '../call/rules.ts';
import { CallContext, type RunContainer } from '../call/run.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { tellEnd } from '../hook/refusal.ts';
import type { ScriptInstance, Usage } from '../script/engine.ts';

/** Chunks of one language that run one after the other in one context. */
export interface InteractiveRun extends AsyncDisposable {
  /**
   * Runs a chunk and gives what it comes to as readable text, undefined when that is nothing; an expression comes to its value. Throws the
   * ScriptError it ended with; a chunk that only lacks its end is SYNTAX_ERROR with `details.incomplete`. One chunk at a time.
   */
  evaluate(text: string, source?: { readonly name?: string; readonly path?: string | undefined }): Promise<string | undefined>;
  /** Stops the chunk that runs now with CANCELLED; what it has done so far stays. */
  interrupt(): void;
  /** True when the engine had to be killed: the session can do no more. */
  readonly ended: boolean;
  readonly usage: Usage;
}

/** A chunk that was interrupted and neither stops nor lets itself be stopped for so long, ms, takes the session with it. */
const INTERRUPT_GRACE_MS = 1_000;

/** What a session needs of its runtime. */
export interface Surroundings {
  /** Begins a chunk, which the runtime waits for; throws CANCELLED when that is closed. */
  during<T>(chunk: () => Promise<T>): Promise<T>;
  /** Adds to the error of a chunk what may help. */
  explain(error: ScriptError, text: string): void;
  /** Waits for what still goes on at the end of the session. */
  drain(): Promise<unknown>;
  /** Hears that the session is closed. */
  closed(): void;
}

/** Makes a session of an instance that has run nothing yet. */
export function createInteractiveRun(run: RunContainer, instance: ScriptInstance, { during, explain, drain, closed }: Surroundings): InteractiveRun {
  let closing: Promise<void> | undefined;
  let chunks = 0;
  let busy = false;
  let timer: NodeJS.Timeout | undefined;
  return {
    async evaluate(text, { name, path } = {}) {
      if (busy) throw new ScriptError('BAD_ARGUMENT', 'evaluate: a chunk of this session is still running');
      checkValue('evaluate: text', text, string);
      busy = true;
      chunks++;
      try {
        return await during(() => instance.evaluate({ text, name: name ?? `repl[${chunks}]`, path }));
      } catch (error) {
        const failure = asScriptError(error);
        explain(failure, text);
        await tellEnd(new CallContext(run), failure);
        throw failure;
      } finally {
        busy = false;
        clearTimeout(timer);
      }
    },
    interrupt() {
      if (!busy) return;
      const error = new ScriptError('CANCELLED', 'interrupted');
      instance.interruptChunk(error);
      clearTimeout(timer);
      timer = setTimeout(() => instance.kill(error), INTERRUPT_GRACE_MS);
    },
    get ended() {
      return instance.dead !== undefined;
    },
    get usage() {
      return instance.usage();
    },
    [Symbol.asyncDispose]() {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    clearTimeout(timer);
    if (!instance.dead) await drain();
    run.abort(new ScriptError('CANCELLED', 'the session has ended'));
    await run[Symbol.asyncDispose]();
    instance.close();
    closed();
  }
}
