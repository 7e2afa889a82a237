import { Reader, SECTION, section, sections, signed, unsigned } from './binary.ts';
import { OP, walk } from './instructions.ts';
import { readModule, type WasmFunction } from './module.ts';

/** How a binary is made to end recursion in time; indexes are those of the unchanged module. */
export interface StackPlan {
  /** Index of the global that is the C shadow stack's pointer. */
  readonly stackPointer: number;
  /** Whole constants of a function that become others; each must occur so many times. */
  readonly constants?: readonly { readonly function: number; readonly value: number; readonly times: number; readonly becomes: number }[];
  /** Bytes, by function, that its frame on the shadow stack gains, so that it is large where V8's frame of the function is. */
  readonly frames?: Readonly<Record<number, number>>;
  /** Functions whose frames grow with what they are called with, and the offset of the limit that they compare the stack pointer less so much with: as signed numbers, since it may be more than the pointer. */
  readonly counted?: { readonly functions: readonly number[]; readonly limit: number };
  /** Functions `(context, …, done, …)` that recurse without looking at the stack: they look now, and raise the engine's own error. */
  readonly guards?: readonly StackGuard[];
}

/** Where a guard finds what it needs: offsets in structures, the parameter that tells whether an iterator is done, the function that raises, the mark of an exception. */
export interface StackGuard {
  readonly function: number;
  readonly runtime: number;
  readonly limit: number;
  readonly done: number;
  readonly raise: number;
  readonly exception: bigint;
}

interface Instruction {
  readonly op: number;
  readonly start: number;
  readonly end: number;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly code: readonly number[];
}

/** Changes function bodies as the plan says. Throws when one of them is not as the plan assumes. */
export function reshape(bytes: Uint8Array, plan: StackPlan): Uint8Array {
  const { functions } = readModule(bytes);
  const edits = new Map<number, Edit[]>();
  const at = (index: number, make: (code: Code) => readonly Edit[]) => {
    const fn = functions.find((it) => it.index === index);
    if (!fn) throw new Error(`no function ${index}`);
    edits.set(index, [...(edits.get(index) ?? []), ...make(new Code(bytes, fn))]);
  };
  for (const { function: index, ...constant } of plan.constants ?? []) at(index, (code) => code.constants(constant));
  for (const [index, more] of Object.entries(plan.frames ?? {})) at(Number(index), (code) => code.frame(plan.stackPointer, more));
  const { counted } = plan;
  if (counted) for (const index of counted.functions) at(index, (code) => code.counted(counted.limit));
  for (const guard of plan.guards ?? []) at(guard.function, (code) => code.guard(plan.stackPointer, guard));

  const bodies = functions.flatMap((fn) => {
    const pieces = edited(bytes, fn, edits.get(fn.index) ?? []);
    return [Uint8Array.from(unsigned(pieces.reduce((sum, piece) => sum + piece.length, 0))), ...pieces];
  });
  const code = section(SECTION.code, [Uint8Array.from(unsigned(functions.length)), ...bodies]);
  const others = sections(bytes).map(({ id, start, end }) => (id === SECTION.code ? code : section(id, [bytes.subarray(start, end)])));
  return Buffer.concat([bytes.subarray(0, 8), ...others]);
}

function edited(bytes: Uint8Array, fn: WasmFunction, edits: readonly Edit[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = fn.start;
  for (const { from, to, code } of edits.toSorted((a, b) => a.from - b.from)) {
    pieces.push(bytes.subarray(at, from), Uint8Array.from(code));
    at = to;
  }
  return [...pieces, bytes.subarray(at, fn.end)];
}

/** One function's instructions, and the edits that they need. */
class Code {
  readonly #bytes: Uint8Array;
  readonly #fn: WasmFunction;
  readonly #all: Instruction[] = [];

  constructor(bytes: Uint8Array, fn: WasmFunction) {
    this.#bytes = bytes;
    this.#fn = fn;
    const reader = new Reader(bytes, fn.start);
    for (let groups = reader.number(); groups > 0; groups--) {
      reader.skipNumber();
      reader.skip(1);
    }
    walk(reader, fn.end, (op, start, end) => this.#all.push({ op, start, end }));
  }

  constants({ value, times, becomes }: { readonly value: number; readonly times: number; readonly becomes: number }): readonly Edit[] {
    const found = this.#all.filter((it) => it.op === OP.i32Const && this.#number(it) === value);
    if (found.length !== times) throw this.#unlike(`has the constant ${value} ${found.length} times, not ${times}`);
    return found.map((it) => this.#constant(it, becomes));
  }

  /** Enlarges what the function takes of the shadow stack when it begins and gives back wherever it ends. */
  frame(stackPointer: number, more: number): readonly Edit[] {
    const isPointer = (it: Instruction | undefined, op: number) => it?.op === op && this.#number(it) === stackPointer;
    const [get, size, minus, tee, set] = this.#all;
    if (!isPointer(get, OP.globalGet) || tee?.op !== OP.localTee || !isPointer(set, OP.globalSet)) throw this.#unlike('takes no frame when it begins');
    const taken = this.#moved(size, minus, OP.i32Sub);
    const base = this.#number(tee);
    const edits: Edit[] = [this.#resized(size, minus, taken + more, OP.i32Sub)];
    this.#all.forEach((it, i) => {
      const [local, by, plus] = this.#all.slice(i - 3, i);
      if (!isPointer(it, OP.globalSet) || local?.op !== OP.localGet || this.#number(local) !== base) return;
      if (this.#moved(by, plus, OP.i32Add) !== taken) throw this.#unlike('gives back another frame than it takes');
      edits.push(this.#resized(by, plus, taken + more, OP.i32Add));
    });
    const sets = this.#all.filter((it) => isPointer(it, OP.globalSet)).length;
    if (edits.length < 2 || edits.length !== sets) throw this.#unlike('moves the stack pointer in a way that is not known');
    return edits;
  }

  /** Compares `limit > sp - size` as signed numbers. */
  counted(limit: number): readonly Edit[] {
    const load = this.#all.findIndex((it) => it.op === OP.i32Load && this.#offset(it) === limit);
    const at = this.#all.findIndex(({ op }, i) => i > load && op === OP.i32GreaterUnsigned);
    const [minus, compare] = [this.#all[at - 1], this.#all[at]];
    if (load < 0 || !compare || minus?.op !== OP.i32Sub) throw this.#unlike('looks at the stack in a way that is not known');
    return [{ from: compare.start, to: compare.end, code: [OP.i32GreaterSigned] }];
  }

  /** `if (sp < context->runtime->limit) { *done = 0; raise(context); return exception }`, before all else. */
  guard(stackPointer: number, { runtime, limit, done, raise, exception }: StackGuard): readonly Edit[] {
    const { start } = this.#all[0] as Instruction;
    const load = (offset: number) => [OP.i32Load, 2, ...unsigned(offset)];
    const code = [
      ...[OP.globalGet, ...unsigned(stackPointer), OP.localGet, 0, ...load(runtime), ...load(limit), OP.i32LessUnsigned, OP.if, OP.emptyBlock],
      ...[OP.localGet, done, OP.i32Const, 0, OP.i32Store, 2, 0],
      ...[OP.localGet, 0, OP.call, ...unsigned(raise)],
      ...[OP.i64Const, ...signed(exception), OP.return, OP.end],
    ];
    return [{ from: start, to: start, code }];
  }

  #number({ start }: Instruction): number {
    const reader = new Reader(this.#bytes, start + 1);
    return this.#bytes[start] === OP.i32Const ? reader.signed() : reader.number();
  }

  #offset({ start }: Instruction): number {
    const reader = new Reader(this.#bytes, start + 1);
    reader.skipNumber();
    return reader.number();
  }

  /** By how much two instructions move the stack pointer: a constant, and an addition or a subtraction. */
  #moved(constant: Instruction | undefined, operation: Instruction | undefined, way: number): number {
    if (constant?.op !== OP.i32Const || (operation?.op !== OP.i32Add && operation?.op !== OP.i32Sub))
      throw this.#unlike('moves the stack pointer in a way that is not known');
    return operation.op === way ? this.#number(constant) : -this.#number(constant);
  }

  #resized(constant: Instruction | undefined, operation: Instruction | undefined, size: number, way: number): Edit {
    if (!constant || !operation) throw this.#unlike('has no frame');
    return { from: constant.start, to: operation.end, code: [OP.i32Const, ...signed(size), way] };
  }

  #constant({ start, end }: Instruction, value: number): Edit {
    return { from: start, to: end, code: [OP.i32Const, ...signed(value)] };
  }

  #unlike(what: string): Error {
    return new Error(`function ${this.#fn.index} ${what}: this is not the binary that llmspell was made for`);
  }
}
