import { isMap } from '../../call/check/kind.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { Misfit } from '../misfit.ts';
import { ScriptRef } from '../refs.ts';
import { codeOf, fromThrown } from '../thrown.ts';
import { calledAt } from './called.ts';
import { CLASS, OBJECT, PROPERTY, pointerOf, type QuickJSExports, TAG, tagOf } from './exports.ts';
import type { Heap } from './heap.ts';
import type { Reader } from './read.ts';
import type { References } from './references.ts';
import { type Trace, traceback } from './trace.ts';
import type { Writer } from './write.ts';

/** Causes of causes that are followed. */
const MOST_CAUSES = 8;

const OUT_OF_MEMORY = 'not enough memory: the script reached limits.memory_mb';
const NO_FUNCTION = 'TypeError: not a function';
/** The engine's own errors for limits; the script may catch them. */
const LIMITS: Readonly<Record<string, string>> = {
  'InternalError: out of memory': OUT_OF_MEMORY,
  'RangeError: Maximum call stack size exceeded': 'the script nests its calls too deep',
  'InternalError: stack overflow': 'the script nests its calls too deep',
};

export interface ErrorParts {
  readonly x: QuickJSExports;
  readonly context: number;
  readonly heap: Heap;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly references: References;
  /** Prototype of the errors that scripts see. */
  readonly prototype: bigint;
  /** Sixteen bytes for a value that has no address. */
  readonly cell: number;
  /** What the script may use. */
  readonly memoryBytes: number;
  /** The text of one of the script's files, as the engine has it at that line; undefined where that is not known. */
  text(file: string, line: number): string | undefined;
  /** Whether what a script's text names is a function, if that is a global or part of one. */
  callable(name: string, text: string): boolean | undefined;
  /** Where an import stands that failed with this message. */
  failedAt(message: string): { file: string; line: number } | undefined;
}

/** Errors in both directions: ScriptErrors as JavaScript errors, what scripts throw as ScriptErrors that remember it. */
export class Errors {
  readonly #parts: ErrorParts;

  constructor(parts: ErrorParts) {
    this.#parts = parts;
  }

  /** Makes the engine throw: the very value that the script threw earlier, else an error with the same fields, which no `catch` sees unless `catchable`. Gives the engine's mark of an exception. */
  raise(error: ScriptError, catchable = true): bigint {
    const { x, context } = this.#parts;
    const value = this.#make(error, 0);
    if (tagOf(value) === TAG.exception) return value;
    if (!catchable) x.JS_SetUncatchableError(context, value);
    return x.JS_Throw(context, value);
  }

  #make(error: ScriptError, causes: number): bigint {
    const { x, context, writer, references, prototype } = this.#parts;
    if (error.thrown instanceof ScriptRef && error.thrown.owner === references) return references.take(error.thrown);
    const value = x.JS_NewObjectProtoClass(context, prototype, CLASS.error);
    if (tagOf(value) === TAG.exception) return value;
    writer.define(value, 'message', writer.scratch.text(error.message), PROPERTY.writableHidden);
    writer.define(value, 'code', writer.scratch.text(error.code));
    if (error.method !== undefined) writer.define(value, 'method', writer.scratch.text(error.method));
    if (error.details !== undefined) this.#defineDetails(value, error.details);
    if (error.cause instanceof ScriptError && causes < MOST_CAUSES) writer.define(value, 'cause', this.#make(error.cause, causes + 1), PROPERTY.writableHidden);
    return value;
  }

  #defineDetails(object: bigint, details: Readonly<Record<string, unknown>>): void {
    const { writer } = this.#parts;
    try {
      writer.define(object, 'details', writer.write(details as ValueMap));
    } catch (error) {
      // Details that cannot go to a script are left out.
      if (!(error instanceof Misfit || error instanceof ScriptError)) throw error;
    }
  }

  /** Whether a thrown value is told by its data, as no error, text or limit is. */
  isData(value: bigint): boolean {
    return tagOf(value) === TAG.object && this.#parts.heap.classOf(pointerOf(value)) !== CLASS.error;
  }

  /** What the script threw, as the host sees it, with its `data` where that is read already; takes over the value's reference and keeps it for the way back. */
  leave(value: bigint, data?: Value): ScriptError {
    const { references } = this.#parts;
    const error = this.isData(value) && data !== undefined ? ofData(data) : this.#convert(value, 0);
    error.thrown = references.keep(value);
    return error;
  }

  /** Why a fiber was told to stop, with the place where it was raised as `value`, which is freed: whatever it says, it is that. */
  stopped(value: bigint, { code, message, method, details, cause }: ScriptError): ScriptError {
    const { where, traceback } = this.#convert(value, 0);
    this.#parts.x.JS_FreeValue(this.#parts.context, value);
    return Object.assign(new ScriptError(code, message, { method, details, cause }), { where, traceback });
  }

  #convert(value: bigint, causes: number): ScriptError {
    const { heap, cell, reader } = this.#parts;
    const tag = tagOf(value);
    if (tag === TAG.object && heap.classOf(pointerOf(value)) === CLASS.error) return this.#fromError(pointerOf(value), causes);
    if (tag === TAG.string || tag === TAG.rope) {
      const text = heap.shortText(tag, pointerOf(value)).toWellFormed();
      return text === '' ? fromThrown(text) : new ScriptError('SCRIPT_ERROR', text);
    }
    if (tag === TAG.uninitialized || (tag === TAG.null && this.#wasFull())) return new ScriptError('LIMIT_EXCEEDED', OUT_OF_MEMORY);
    if (tag === TAG.undefined) return new ScriptError('SCRIPT_ERROR', 'the script threw undefined');
    heap.setValue(cell, value);
    return ofData(attempt(() => reader.read(cell, 'error')));
  }

  /** Where there is no memory left for an error, the engine throws null. */
  #wasFull(): boolean {
    return this.#parts.x.memory.buffer.byteLength >= this.#parts.memoryBytes * 0.75;
  }

  #fromError(object: number, causes: number): ScriptError {
    const { heap } = this.#parts;
    const name = heap.inheritedText(object, 'name') ?? 'Error';
    const message = heap.inheritedText(object, 'message') ?? '';
    const limit = LIMITS[`${name}: ${message}`];
    const details = this.#field(object, 'details');
    const method = this.#field(object, 'method');
    const shown = name === 'Error' || name === 'ScriptError' ? message || name : message ? `${name}: ${message}` : name;
    const stackAt = object + OBJECT.data;
    const trace = heap.tag(stackAt) === TAG.string ? traceback(heap.shortText(TAG.string, heap.pointer(stackAt))) : {};
    const { told, ...place } = shown === NO_FUNCTION ? this.#withName(trace) : { told: shown, ...trace };
    const code = name === 'SyntaxError' && trace.unparsed ? 'SYNTAX_ERROR' : codeOf(this.#field(object, 'code'));
    const error = new ScriptError(limit ? 'LIMIT_EXCEEDED' : code, limit ?? told, {
      method: typeof method === 'string' ? method : undefined,
      details: isMap(details) ? details : undefined,
      cause: causes < MOST_CAUSES ? this.#cause(object, causes) : undefined,
    });
    error.where = this.#parts.failedAt(message) ?? place.where;
    error.traceback = place.traceback;
    return error;
  }

  /** The engine does not name what it cannot call, and its place is that of an argument: the text of the script tells both. */
  #withName(trace: Trace): Trace & { readonly told: string } {
    const { where, column } = trace;
    const text = where && this.#parts.text(where.file, where.line);
    if (where === undefined || column === undefined || text === undefined) return { ...trace, told: NO_FUNCTION };
    // In a first line the engine counts columns from 0.
    const at = startOfLine(text, where.line) + (where.line === 1 ? column : column - 1);
    const called = calledAt(text, at, (name) => this.#parts.callable(name, text));
    if (called === undefined) return { ...trace, told: NO_FUNCTION };
    const told = `TypeError: ${called.name} is not a function`;
    const before = text.slice(0, called.end);
    const line = before.split('\n').length;
    if (line === where.line) return { ...trace, told };
    const start = (/[\w$]+$/.exec(before.slice(before.lastIndexOf('\n') + 1))?.index ?? 0) + (line === 1 ? 0 : 1);
    const { file } = where;
    const lines = (trace.traceback ?? '').replace(`${file}:${where.line}:${column}`, () => `${file}:${line}:${start}`);
    return { told, where: { file, line }, traceback: lines };
  }

  #cause(object: number, causes: number): ScriptError | undefined {
    const { heap, references, x, context } = this.#parts;
    const at = heap.slot(object, 'cause');
    if (at === 0 || heap.tag(at) !== TAG.object || heap.classOf(heap.pointer(at)) !== CLASS.error) return undefined;
    const value = heap.value(at);
    const cause = this.#convert(value, causes + 1);
    cause.thrown = references.keep(x.JS_DupValue(context, value));
    return cause;
  }

  #field(object: number, key: string): Value | undefined {
    const { heap, reader } = this.#parts;
    const at = heap.slot(object, key);
    return at === 0 ? undefined : attempt(() => reader.read(at, key));
  }
}

function startOfLine(text: string, line: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) start = text.indexOf('\n', start) + 1;
  return start;
}

function ofData(data: Value | undefined): ScriptError {
  return fromThrown(data, typeof data === 'function' ? 'the script threw a function' : undefined);
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ScriptError) return undefined;
    throw error;
  }
}
