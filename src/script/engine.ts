import type { Language } from '../call/context.ts';
import type { MethodTable } from '../call/dispatch.ts';
import type { RunContainer } from '../call/run.ts';
import type { Value } from '../call/value.ts';
import type { ScriptError } from '../errors.ts';

/** A script's text and the name its errors carry. */
export interface Source {
  readonly text: string;
  /** As in error messages: `research.lua`. */
  readonly name: string;
  /** Absolute path when the text is a file: where `require` and `import` look first. */
  readonly path?: string | undefined;
}

/** What a run used, for `stats`. */
export interface Usage {
  readonly cpu_ms: number;
  readonly memory_bytes: number;
  readonly calls: number;
  readonly waits: number;
  readonly fibers: number;
}

/** One context of a language, for one run. */
export interface ScriptInstance {
  /** Runs the main chunk on the main fiber and gives its result; throws the script's error with where and traceback. */
  execute(source: Source): Promise<Value>;
  /**
   * Runs one chunk of a session, whose globals stay for the next, and gives what it comes to as text; undefined when that is nothing.
   * Throws as `execute` does; a chunk that only lacks its end is SYNTAX_ERROR with `details.incomplete`.
   */
  evaluate(source: Source): Promise<string | undefined>;
  /** Raises an error in whatever computes or waits for the chunk of a session that runs now; what it has done stays. */
  interruptChunk(error: ScriptError): void;
  /** Why the instance can do no more, if so. */
  readonly dead: Error | undefined;
  /** Ends it at once: nothing in the script can catch that. */
  kill(error: Error): void;
  usage(): Usage;
  /** Lets go of the instance; callbacks and handles are dead afterwards. */
  close(): void;
}

/** A language: makes contexts with all globals of a table, from an image made once per table. */
export interface ScriptEngine {
  readonly language: Language;
  open(table: MethodTable, run: RunContainer): ScriptInstance;
}
