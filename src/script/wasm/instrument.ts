import { encodedName, Reader, SECTION, SECTION_ORDER, section, sections, signed, unsigned } from './binary.ts';
import { OP, walk } from './instructions.ts';
import { readModule, type WasmFunction, type WasmModule } from './module.ts';

/** What the rewriter must know of one binary; indexes are those of the unchanged module. */
export interface FuelPlan {
  /** Index of the global that is the C shadow stack's pointer. */
  readonly stackPointer: number;
  /** A bytecode interpreter whose dispatch loop is left alone: only the cases of these operands of its jump table are checked. */
  readonly dispatch?: { readonly function: number; readonly cases: number; readonly operands: readonly number[] };
  /** Functions that run their first parameter, a state: the global `__running` holds it while they do. */
  readonly runners?: readonly number[];
  /** Functions without checks: they ask by other means. */
  readonly skip?: readonly number[];
}

const NAMES = { fuel: '__fuel', reset: '__fuel_reset', slot: '__fuel_slot', running: '__running' } as const;
/** Fuel at start: enough that nothing ticks before the host has set its own. */
const FULL = 2 ** 31 - 1;
/** A bulk operation costs its size divided by two to this power. */
const BULK_SHIFT = 6;
/** Bytes that a bulk operation deals with at once: between two pieces of a large one it may be paused. */
const BULK_PIECE = 2 ** 18;

/**
 * Adds a fuel check to the head of every loop, and to bulk memory operations by their size, piece by piece: `fuel -= 1`, and when it falls below zero it is
 * reset and the function in the one-slot table `__fuel_slot` is called. Entries are only appended, so no index in the module changes.
 * Whoever catches an exception that leaves one of `runners` puts back what `__running` held before.
 */
export function instrument(bytes: Uint8Array, plan: FuelPlan): Uint8Array {
  const module = readModule(bytes);
  const rewriter = new Rewriter(bytes, module, plan);
  const own = rewriter.own();
  const code = [
    Uint8Array.from(unsigned(module.functions.length + own.length)),
    ...module.functions.flatMap((fn) => sized(rewriter.body(fn))),
    ...own.flatMap(({ body }) => sized([Uint8Array.from(body)])),
  ];
  const added = rewriter.added();
  const pieces: Uint8Array[] = [bytes.subarray(0, 8)];
  const old = new Map(
    sections(bytes)
      .filter(({ id }) => id !== SECTION.custom)
      .map((it) => [it.id, it]),
  );
  for (const id of SECTION_ORDER) {
    const from = old.get(id);
    const more = added.get(id);
    if (id === SECTION.code) pieces.push(section(id, code));
    else if (more) pieces.push(section(id, appended(bytes, from?.start, from?.end, more)));
    else if (from) pieces.push(section(id, [bytes.subarray(from.start, from.end)]));
  }
  return Buffer.concat(pieces);
}

interface Added {
  readonly count: number;
  readonly bytes: readonly number[];
}

function appended(bytes: Uint8Array, start: number | undefined, end: number | undefined, more: Added): Uint8Array[] {
  if (start === undefined) return [Uint8Array.from([...unsigned(more.count), ...more.bytes])];
  const reader = new Reader(bytes, start);
  const count = reader.number() + more.count;
  return [Uint8Array.from(unsigned(count)), bytes.subarray(reader.at, end), Uint8Array.from(more.bytes)];
}

function sized(pieces: readonly Uint8Array[]): Uint8Array[] {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [Uint8Array.from(unsigned(size)), ...pieces];
}

class Rewriter {
  readonly #bytes: Uint8Array;
  readonly #module: WasmModule;
  readonly #plan: FuelPlan;
  /** Indexes of what is appended: functions, globals, the table, types. */
  readonly #slow: number;
  readonly #fuel: number;
  readonly #slot: number;
  readonly #type: number;

  constructor(bytes: Uint8Array, module: WasmModule, plan: FuelPlan) {
    this.#bytes = bytes;
    this.#module = module;
    this.#plan = plan;
    this.#slow = module.importedFunctions + module.functions.length;
    this.#fuel = module.globals;
    this.#slot = module.tables;
    this.#type = module.types.length;
  }

  /** A function's body with its checks, in pieces. */
  body(fn: WasmFunction): readonly Uint8Array[] {
    const reader = new Reader(this.#bytes, fn.start);
    let locals = this.#module.types[fn.type] as number;
    const groups = reader.number();
    const localsStart = reader.at;
    for (let i = 0; i < groups; i++) {
      locals += reader.number();
      reader.skip(1);
    }
    const start = reader.at;
    const edits = this.#edits(fn, start, locals);
    if (edits.length === 0) return [this.#bytes.subarray(fn.start, fn.end)];
    const pieces = [Uint8Array.from(unsigned(groups + 1)), this.#bytes.subarray(localsStart, start), Uint8Array.of(1, OP.i32)];
    let at = start;
    for (const edit of edits) {
      pieces.push(this.#bytes.subarray(at, edit.from), Uint8Array.from(edit.code));
      at = edit.to;
    }
    return [...pieces, this.#bytes.subarray(at, fn.end)];
  }

  /** The functions that are appended: the slow path, copying and filling that pay by size, and what is called in place of runners. */
  own(): readonly { readonly type: number; readonly body: readonly number[] }[] {
    const { stackPointer, runners = [] } = this.#plan;
    const reset = [OP.globalGet, ...unsigned(this.#fuel + 1), OP.globalSet, ...unsigned(this.#fuel)];
    const callOut = [OP.i32Const, 0, OP.callIndirect, ...unsigned(this.#type), ...unsigned(this.#slot)];
    const slow = [
      1,
      1,
      OP.i32,
      OP.globalGet,
      ...unsigned(stackPointer),
      OP.localSet,
      0,
      ...reset,
      ...callOut,
      OP.localGet,
      0,
      OP.globalSet,
      ...unsigned(stackPointer),
      OP.end,
    ];
    const get = (local: number) => [OP.localGet, ...unsigned(local)];
    const constant = (value: number) => [OP.i32Const, ...signed(value)];
    const pay = (amount: readonly number[]) => this.#pay(amount, 3);
    const move = (local: number, op: number) => [...get(local), ...constant(BULK_PIECE), op, OP.localSet, ...unsigned(local)];
    // (to, from or value, size): pieces from the start until what is left is small.
    const bulk = (operation: readonly number[], piece: readonly number[]) => [
      ...[1, 1, OP.i32, OP.loop, OP.emptyBlock, ...get(2), ...constant(BULK_PIECE), OP.i32GreaterUnsigned, OP.if, OP.emptyBlock],
      ...[...pay(constant(BULK_PIECE >> BULK_SHIFT)), ...move(2, OP.i32Sub), ...piece, OP.br, 1, OP.end, OP.end],
      ...[...pay([...get(2), ...constant(BULK_SHIFT), OP.i32ShiftRight]), ...get(0), ...get(1), ...get(2), ...operation, OP.end],
    ];
    const copy = [OP.prefixFc, OP.memoryCopy, 0, 0];
    const fill = [OP.prefixFc, OP.memoryFill, 0];
    const first = (operation: readonly number[]) => [...get(0), ...get(1), ...constant(BULK_PIECE), ...operation, ...move(0, OP.i32Add)];
    const last = (local: number) => [...get(local), ...get(2), OP.i32Add];
    // The size is what the piece leaves. From the end where the last piece would be written over by what goes before it.
    const overlaps = [...get(0), ...get(1), OP.i32Sub, ...get(2), ...constant(BULK_PIECE), OP.i32Add, OP.i32LessUnsigned];
    const copyPiece = [
      ...[...overlaps, OP.if, OP.emptyBlock, ...last(0), ...last(1), ...constant(BULK_PIECE), ...copy],
      ...[OP.else, ...first(copy), ...move(1, OP.i32Add), OP.end],
    ];
    const functions = [
      { type: this.#type, body: slow },
      { type: this.#type + 1, body: bulk(copy, copyPiece) },
      { type: this.#type + 1, body: bulk(fill, first(fill)) },
    ];
    return [...functions, ...runners.map((index) => this.#run(index))];
  }

  /** `(state, …) { before = __running; __running = state; result = run(state, …); __running = before; return result }`. */
  #run(runner: number): { readonly type: number; readonly body: readonly number[] } {
    const { type } = this.#module.functions.find(({ index }) => index === runner) as WasmFunction;
    const parameters = this.#module.types[type] as number;
    const running = unsigned(this.#fuel + 2);
    const passed = Array.from({ length: parameters }, (_, i) => [OP.localGet, ...unsigned(i)]).flat();
    const before = unsigned(parameters);
    return {
      type,
      body: [
        ...[1, 1, OP.i32, OP.globalGet, ...running, OP.localSet, ...before, OP.localGet, 0, OP.globalSet, ...running],
        ...[...passed, OP.call, ...unsigned(runner), OP.localGet, ...before, OP.globalSet, ...running, OP.end],
      ],
    };
  }

  /** What the other sections gain. */
  added(): ReadonlyMap<number, Added> {
    const own = this.own();
    const mutableZero = (value: number) => [OP.i32, 1, OP.i32Const, ...signed(value), OP.end];
    const exported = (name: string, kind: number, index: number) => [...encodedName(name), kind, ...unsigned(index)];
    const [table, global] = [1, 3];
    return new Map([
      [SECTION.type, { count: 2, bytes: [0x60, 0, 0, 0x60, 3, OP.i32, OP.i32, OP.i32, 0] }],
      [SECTION.function, { count: own.length, bytes: own.flatMap((fn) => unsigned(fn.type)) }],
      [SECTION.table, { count: 1, bytes: [0x70, 0, 1] }],
      [SECTION.global, { count: 3, bytes: [...mutableZero(FULL), ...mutableZero(FULL), ...mutableZero(0)] }],
      [
        SECTION.export,
        {
          count: 4,
          bytes: [
            ...exported(NAMES.fuel, global, this.#fuel),
            ...exported(NAMES.reset, global, this.#fuel + 1),
            ...exported(NAMES.running, global, this.#fuel + 2),
            ...exported(NAMES.slot, table, this.#slot),
          ],
        },
      ],
    ]);
  }

  #edits(fn: WasmFunction, start: number, scratch: number): { from: number; to: number; code: readonly number[] }[] {
    const { dispatch, runners = [], skip } = this.#plan;
    const interpreter = dispatch?.function === fn.index ? dispatch : undefined;
    const found = interpreter && findDispatch(this.#bytes, fn, start, interpreter);
    const check = this.#check(scratch);
    const inLoops = !skip?.includes(fn.index);
    const edits: { from: number; to: number; code: readonly number[] }[] = [];
    const open: number[] = [];
    walk(new Reader(this.#bytes, start), fn.end, (op, from, to, extended) => {
      if (op === OP.block || op === OP.loop || op === OP.if || op === OP.try) open.push(from);
      else if (op === OP.end) {
        const block = open.pop();
        if (block !== undefined && found?.cases.has(block)) edits.push({ from: to, to, code: check });
      }
      if (op === OP.loop && inLoops && from !== found?.loop) edits.push({ from: to, to, code: check });
      const runner = op === OP.call ? runners.indexOf(new Reader(this.#bytes, from + 1).number()) : -1;
      if (runner >= 0) edits.push({ from, to, code: [OP.call, ...unsigned(this.#slow + 3 + runner)] });
      if (op === OP.prefixFc && extended === OP.memoryCopy) edits.push({ from, to, code: [OP.call, ...unsigned(this.#slow + 1)] });
      if (op === OP.prefixFc && extended === OP.memoryFill) edits.push({ from, to, code: [OP.call, ...unsigned(this.#slow + 2)] });
    });
    return edits;
  }

  #check(scratch: number): readonly number[] {
    return this.#pay([OP.i32Const, 1], scratch);
  }

  /** Takes an amount off the fuel; asks for more when none is left. */
  #pay(amount: readonly number[], scratch: number): readonly number[] {
    return [
      ...[OP.globalGet, ...unsigned(this.#fuel), ...amount, OP.i32Sub, OP.localTee, ...unsigned(scratch), OP.globalSet, ...unsigned(this.#fuel)],
      ...[OP.localGet, ...unsigned(scratch), ...this.#ifBelowZero([OP.call, ...unsigned(this.#slow)])],
    ];
  }

  #ifBelowZero(then: readonly number[]): readonly number[] {
    return [OP.i32Const, 0, OP.i32LessSigned, OP.if, OP.emptyBlock, ...then, OP.end];
  }
}

/** The dispatch loop of an interpreter, and the blocks behind whose ends the wanted cases start. */
function findDispatch(
  bytes: Uint8Array,
  fn: WasmFunction,
  start: number,
  wanted: NonNullable<FuelPlan['dispatch']>,
): { loop: number; cases: ReadonlySet<number> } {
  const open: { op: number; start: number }[] = [];
  let result: { loop: number; cases: ReadonlySet<number> } | undefined;
  walk(new Reader(bytes, start), fn.end, (op, from) => {
    if (op === OP.block || op === OP.loop || op === OP.if || op === OP.try) open.push({ op, start: from });
    else if (op === OP.end) open.pop();
    else if (op === OP.brTable && !result) {
      const reader = new Reader(bytes, from + 1);
      const depths = Array.from({ length: reader.number() + 1 }, () => reader.number());
      const loop = open.findLast((block) => block.op === OP.loop);
      if (depths.length !== wanted.cases + 1 || !loop) return;
      result = {
        loop: loop.start,
        cases: new Set(wanted.operands.map((operand) => (open[open.length - 1 - (depths[operand] as number)] as { start: number }).start)),
      };
    }
  });
  if (!result) throw new Error(`function ${fn.index} has no jump table of ${wanted.cases} cases`);
  return result;
}
