import type { Value, ValueMap } from '../../call/value.ts';

/** A tool as it is offered to clients. */
export interface ServedTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of an object. */
  readonly input: ValueMap;
  /** JSON Schema of an object that each result fits; absent where nothing is promised. */
  readonly output: ValueMap | undefined;
  /** Runs the tool; throws a ScriptError. */
  call(args: Value, call: ServedCall): Promise<Value>;
}

export interface ServedCall {
  /** Fires when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  /** Takes what the run prints, line by line. */
  print(line: string): void;
}
