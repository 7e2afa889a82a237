import type { MethodTable } from '../../call/dispatch.ts';
import type { RunContainer } from '../../call/run.ts';
import type { Value } from '../../call/value.ts';
import { asScriptError, type ScriptError } from '../../errors.ts';
import { isOfEngine } from '../fatal.ts';
import type { Fiber } from '../fiber.ts';
import type { Outcome } from '../instance.ts';
import { Misfit } from '../misfit.ts';
import { type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import type { Errors } from './errors.ts';
import { INTERNALS } from './image.ts';
import type { LazyObjects } from './lazy.ts';
import { LongString } from './long.ts';
import type { Machine } from './machine.ts';
import type { Promises } from './promises.ts';
import type { Reader } from './read.ts';
import type { Writer } from './write.ts';

/** What host calls need of their instance. */
export interface Caller {
  readonly run: RunContainer;
  readonly table: MethodTable;
  readonly machine: Machine;
  readonly steps: Steps;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly lazy: LazyObjects;
  readonly errors: Errors;
  readonly promises: Promises;
  /** The script has called: nothing may pause until it has its answer. */
  enter(): void;
  /** The script has its answer. */
  leave(): void;
  /** Runs a method for the fiber that computes; a promise means that the engine must wait. */
  call(index: number, args: Value[]): Value | Promise<Value>;
  /** Lets others have their turn, then goes on. Gives what tells the engine to wait. */
  giveTurn(goOn: () => number): number;
  /** Goes on with what a turn for others has interrupted; undefined where nothing was. */
  goOn(outcome: Outcome): number | undefined;
  /** The fiber that computes. */
  current(): Fiber;
  /** What the fiber that computes ends with, if it was told to stop. */
  ending(): ScriptError | undefined;
  dead(): Error | undefined;
}

/** A call of the host whose arguments are being read. */
interface HostCall {
  readonly cell: number;
  readonly count: number;
  readonly args: number;
  readonly index: number;
  readonly values: Value[];
  /** How many of them are read. */
  next: number;
}

/** The calls that scripts make of the host; all on the fiber's stack with frames of the host below, so nothing may pause in them. */
export class HostCalls {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Reads the arguments of a call and makes it: 0 leaves its result, or an exception, in the cell, 1 waits. */
  call(cell: number, count: number, args: number, index: number): number {
    return this.#answer(cell, () => {
      if (index === INTERNALS.fill) return this.#put(cell, this.#caller.lazy.take(this.#caller.machine.heap.word(args)));
      if (index === INTERNALS.print) return this.#print(cell, new LongString(this.#caller.machine.heap, args));
      this.#caller.steps.begin();
      // Methods of handles get `this` as their first argument.
      const all = count + (this.#caller.table.entries[index]?.ofHandle ? 1 : 0);
      return this.#read({ cell, count, args, index, values: new Array(all), next: 0 });
    });
  }

  /** Does what a call of the engine is about: 0 leaves its result, or an exception, in the cell, 1 waits. */
  #answer(cell: number, work: () => number): number {
    this.#caller.enter();
    let answer = 0;
    try {
      answer = work();
    } catch (error) {
      this.#raise(cell, error);
    }
    if (answer === 0) this.#caller.leave();
    return answer;
  }

  /** Reads the arguments that are left and makes the call; `more` goes on with one that was begun. */
  #read(call: HostCall, more?: () => Value | Unfinished): number {
    const { cell, count, args, index, values } = call;
    const entry = this.#caller.table.entries[index];
    const self = values.length - count;
    while (call.next < values.length) {
      const i = call.next;
      const at = i < self ? cell : args + 8 * (i - self);
      const value: Value | Unfinished = more ? more() : this.#caller.reader.begin(at, entry?.places[i] ?? `${entry?.name}: argument ${i - self + 1}`);
      more = undefined;
      if (value === UNFINISHED) return this.#caller.giveTurn(() => this.#read(call, () => this.#caller.reader.more()));
      values[call.next++] = value;
    }
    if (this.#caller.steps.large && this.#caller.steps.look()) return this.#caller.giveTurn(() => this.#make(call));
    return this.#make(call);
  }

  #make({ cell, index, values }: HostCall): number {
    const result = this.#caller.call(index, values);
    if (!(result instanceof Promise)) return this.#put(cell, result);
    const only = this.#caller.table.entries[index]?.definition.only_callbacks;
    if (only) this.#caller.promises.hold(this.#caller.current(), result, only);
    return 1;
  }

  /** A result goes to the cell, in turns where it is large. */
  #put(cell: number, result: Value): number {
    return this.#caller.writer.putNumber(cell, result) ? 0 : this.#putMade(cell, this.#caller.writer.begin(result));
  }

  #putMade(cell: number, made: bigint | Unfinished): number {
    if (made === UNFINISHED) return this.#caller.giveTurn(() => this.#putMade(cell, this.#caller.writer.more()));
    this.#caller.machine.heap.setValue(cell, made);
    return 0;
  }

  /** A line of output, in turns where it is long. */
  #print(cell: number, line: LongString): number {
    while (!line.step()) if (this.#caller.steps.look()) return this.#caller.giveTurn(() => this.#print(cell, line));
    this.#caller.run.print(line.text.toWellFormed());
    return this.#put(cell, null);
  }

  /** A wait has ended. */
  finish(cell: number, outcome: Outcome): number {
    return this.#answer(cell, () => {
      const gone = this.#caller.goOn(outcome);
      if (gone !== undefined) return gone;
      if ('error' in outcome) throw outcome.error;
      return this.#put(cell, outcome.value);
    });
  }

  #raise(cell: number, error: unknown): void {
    const dead = this.#caller.dead();
    if (dead) throw dead;
    this.#caller.writer.abandon();
    if (isOfEngine(error)) throw error;
    const failure = error instanceof Misfit ? error.toError(this.#caller.current().method, 'result') : asScriptError(error);
    // A fiber that was told to stop must not live on the errors of its calls: the engine's own interrupt comes only now and then.
    const ending = this.#caller.ending();
    this.#caller.machine.heap.setValue(cell, this.#caller.errors.raise(ending ?? failure, ending === undefined));
  }
}
