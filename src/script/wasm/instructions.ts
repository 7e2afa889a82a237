import type { Reader } from './binary.ts';

/** Opcodes that the rewriter looks for or writes. */
export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  end: 0x0b,
  br: 0x0c,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i32Store: 0x36,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LessSigned: 0x48,
  i32LessUnsigned: 0x49,
  i32GreaterSigned: 0x4a,
  i32GreaterUnsigned: 0x4b,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32ShiftRight: 0x76,
  prefixFc: 0xfc,
  memoryCopy: 10,
  memoryFill: 11,
  emptyBlock: 0x40,
  i32: 0x7f,
} as const;

/** One instruction: its opcode, the one behind the 0xfc prefix (else -1), and where it starts and ends. */
export type Visit = (op: number, start: number, end: number, extended: number) => void;

/** Walks the instructions of a function's body; throws on one that the format of the pinned binaries does not use. */
export function walk(reader: Reader, end: number, visit: Visit): void {
  while (reader.at < end) {
    const start = reader.at;
    const op = reader.byte();
    const extended = op === OP.prefixFc ? reader.number() : -1;
    if (!skipImmediates(reader, op, extended)) throw new Error(`an unknown instruction 0x${op.toString(16)} at byte ${start}`);
    visit(op, start, reader.at, extended);
  }
}

function skipImmediates(reader: Reader, op: number, extended: number): boolean {
  if (op === OP.prefixFc) return skipExtended(reader, extended);
  if (op >= 0x28 && op <= 0x3e) return skipMemoryArgument(reader);
  if (op === OP.brTable || op === 0x1c) {
    const count = reader.number() + (op === OP.brTable ? 1 : 0);
    for (let i = 0; i < count; i++) reader.skipNumber();
    return true;
  }
  if (op === OP.callIndirect || op === 0x13) return skipNumbers(reader, 2);
  if (hasOneNumber(op)) return skipNumbers(reader, 1);
  if (op === 0x43 || op === 0x44) {
    reader.skip(op === 0x43 ? 4 : 8);
    return true;
  }
  return op <= 0x01 || op === OP.else || op === OP.end || op === 0x0f || (op >= 0x19 && op <= 0x1b) || (op >= 0x45 && op <= 0xc4) || op === 0xd1;
}

/** Blocks, branches, calls, variables, memory size and growth, whole constants, references. */
function hasOneNumber(op: number): boolean {
  return (
    (op >= OP.block && op <= OP.if) ||
    (op >= OP.try && op <= 0x09) ||
    op === 0x0c ||
    op === 0x0d ||
    op === OP.call ||
    op === 0x12 ||
    op === 0x18 ||
    (op >= OP.localGet && op <= 0x26) ||
    (op >= 0x3f && op <= 0x42) ||
    op === 0xd0 ||
    op === 0xd2
  );
}

function skipExtended(reader: Reader, extended: number): boolean {
  if (extended < 8) return true;
  if (extended > 17) return false;
  return skipNumbers(reader, extended <= 14 && extended % 2 === 0 ? 2 : 1);
}

function skipMemoryArgument(reader: Reader): boolean {
  const alignment = reader.number();
  return skipNumbers(reader, alignment & 64 ? 2 : 1);
}

function skipNumbers(reader: Reader, count: number): boolean {
  for (let i = 0; i < count; i++) reader.skipNumber();
  return true;
}
