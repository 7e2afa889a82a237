/** Every error code a script or host can see, with one sentence for the reference. */
export const ERROR_CODES = {
  BAD_ARGUMENT: 'An argument, option or value has the wrong type, range or name; the message says which and what was wanted.',
  BAD_CONFIG: 'The configuration cannot be read or one of its settings is wrong; the message names file and key.',
  CANCELLED: 'The operation was cancelled; every later wait of the same fiber is cancelled too.',
  CONFLICT:
    'What is there does not allow it: somebody else changed the same data meanwhile, it exists already, or its status is another one; the message says which.',
  DEADLOCK: 'The script waits for something that can never happen.',
  DEPTH_EXCEEDED: 'Agents, tools and workflows (16) or hooks and events (8) are nested too deep.',
  HOOK_REJECTED: 'A hook refused the operation; the message carries its reason.',
  INTERNAL: 'A defect of the runtime, please report it; or of code that the host added, which the message then names.',
  LIMIT_EXCEEDED: 'A limit of the run (time, memory, output, calls, size) was reached; the message names it.',
  MODEL_FAILED: 'A model provider answered with an error or with something unusable.',
  NOT_ALLOWED: 'The run was not granted this; the message names the grant, and the flag of the command line, that would allow it.',
  NOT_FOUND: 'A named thing that the call needs does not exist.',
  NOT_IN_TRANSACTION: 'Only State, JSON, Logger and pure calls may be made inside State.update and State.transaction.',
  SCRIPT_ERROR: 'The script raised a value of its own that was not caught.',
  STEP_FAILED: 'A workflow step failed; `cause` is the original error and `details` the record of all steps.',
  STORE_FAILED: 'The data folder cannot be read or written; the message says why.',
  SYNTAX_ERROR: 'The script does not parse; the message says where.',
  TIMEOUT: 'The operation took longer than its own time limit.',
  TOOL_FAILED: 'A tool could not do what it was asked; the message says why.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorFields {
  /** The method that failed, `State.save`. */
  readonly method?: string | undefined;
  /** Plain data about the failure; for calls to the world `outcome` and `retryable`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** Characters of a message that are kept: what is longer is told in part. */
export const MOST_MESSAGE = 65_536;

/** The one error class: what scripts see as a table or Error with the same fields. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly code: ErrorCode;
  method: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** The engine's reference to the very value a script threw, so that it can come out of the call unchanged. */
  thrown: object | undefined;
  /** Where in the script it happened, `main.lua:3`, and the script's own traceback; set when the error leaves the script. */
  where: { file: string; line: number } | undefined;
  traceback: string | undefined;
  /** What the run had printed and used when this error ended it. */
  run: { readonly output: readonly string[]; readonly stats: object } | undefined;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message.length > MOST_MESSAGE ? `${message.slice(0, MOST_MESSAGE)}…` : message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.method = fields.method;
    this.details = fields.details;
  }
}

/** What an error says, behind its place in the script where it has one. */
export function placed({ where, message }: ScriptError): string {
  return where && !message.startsWith(`${where.file}:`) ? `${where.file}:${where.line}: ${message}` : message;
}

/** The place of an error in the script as the field `at` of what is told of it; nothing where it has none. */
export function placeField({ where }: ScriptError): { at?: string } {
  return where ? { at: `${where.file}:${where.line}` } : {};
}

/** What the text of an error that is none of ours may take, characters. */
const MOST_TEXT = 10_000;
const NO_TEXT = 'what was thrown has no text';

/** The error as a ScriptError: itself if it is one, else INTERNAL with the original as cause and no host path in its text. */
export function asScriptError(error: unknown): ScriptError {
  return translated(error, (text, cause) => new ScriptError('INTERNAL', `internal error: ${text}`, { cause }));
}

/** A ScriptError as it is, anything else as what `make` makes of its text, which has no host path, and of itself as the cause. Takes whatever can be thrown. */
export function translated(error: unknown, make: (text: string, cause: unknown) => ScriptError): ScriptError {
  let text: unknown;
  try {
    if (error instanceof ScriptError) return error;
    text = error instanceof Error ? error.message : String(error);
  } catch {
    // Nobody may touch it again.
    return make(NO_TEXT, undefined);
  }
  const told = typeof text === 'string' ? text.slice(0, MOST_TEXT) : NO_TEXT;
  return make(told.replaceAll(/(?:file:\/\/)?(?:[A-Za-z]:)?[\\/][^\s'"]*[\\/]/g, ''), error);
}
