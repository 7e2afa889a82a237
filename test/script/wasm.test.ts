import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/call/digest.ts';
import { probeJavaScript } from '../../src/script/javascript/probe.ts';
import { probeLua } from '../../src/script/lua/probe.ts';
import { assembleLinkers, linkersModule } from '../../src/script/wasm/assemble.ts';
import { buildEngine, readSource } from '../../src/script/wasm/build.ts';
import { applyImage, captureImage } from '../../src/script/wasm/image.ts';
import { instrument } from '../../src/script/wasm/instrument.ts';
import { compile } from '../../src/script/wasm/load.ts';
import { type EngineName, MANIFESTS } from '../../src/script/wasm/manifests.ts';
import { reshape } from '../../src/script/wasm/reshape.ts';
import { keepExports } from '../../src/script/wasm/trim.ts';

const NAMES = Object.keys(MANIFESTS) as EngineName[];

async function assemble(text: string): Promise<Uint8Array> {
  const { default: start } = await import('wabt');
  return (await start()).parseWat('test.wat', text, { exceptions: true, mutable_globals: true, reference_types: true }).toBinary({}).buffer;
}

describe('the engines binaries', () => {
  it.each(NAMES)('rewrites %s to the bytes its manifest names', (name) => {
    expect(sha256(buildEngine(readSource(MANIFESTS[name]), MANIFESTS[name]))).toBe(MANIFESTS[name].sha256);
  });

  it('refuses another version of a package', () => {
    expect(() => readSource({ ...MANIFESTS.lua, sourceSha256: MANIFESTS.javascript.sourceSha256 })).toThrow(
      'wasmoon/dist/glue.wasm is not the binary that llmspell was made for',
    );
  });

  it('keeps the committed linkers equal to their text', async () => {
    expect(readFileSync(new URL('../../src/script/wasm/linkers.ts', import.meta.url), 'utf8')).toBe(await linkersModule());
    expect(Object.keys(await assembleLinkers())).toEqual(['fuel', 'javascript-first', 'javascript-second', 'lua-first', 'lua-second']);
  });

  it('says which export or jump table is missing', () => {
    const source = readSource(MANIFESTS.lua);
    expect(() => keepExports(source, ['lua_type', 'no_such'])).toThrow('no exports no_such');
    expect(() => instrument(source, { stackPointer: 0, dispatch: { function: 574, cases: 82, operands: [] } })).toThrow(
      'function 574 has no jump table of 82 cases',
    );
  });

  it('fails the probe when the interpreter is not checked', () => {
    const { dispatch } = MANIFESTS.lua.fuel;
    const unchecked = {
      ...MANIFESTS.lua,
      fuel: { stackPointer: 0, dispatch: { function: dispatch?.function ?? 0, cases: dispatch?.cases ?? 0, operands: [] } },
    };
    const engine = compile('lua', buildEngine(readSource(MANIFESTS.lua), unchecked));
    expect(() => probeLua(engine)).toThrow('the Lua engine does not do what llmspell relies on: for does not ask for fuel');
    expect(() => probeLua()).not.toThrow();
  });
});

describe('the probe of Lua', () => {
  it.each([[[]], [[296]]])('fails when nobody knows what runs beside %j', (runners) => {
    const engine = compile('lua', buildEngine(readSource(MANIFESTS.lua), { ...MANIFESTS.lua, fuel: { ...MANIFESTS.lua.fuel, runners } }));
    expect(() => probeLua(engine)).toThrow('the running state is not known');
  });

  it.each([
    ['nothing of it is changed', []],
    ['its limit in bytes is left', MANIFESTS.lua.stack.constants?.filter(({ value }) => value !== 16_000_001)],
  ])("fails when Lua's stack is not limited: %s", (_, constants = []) => {
    const engine = compile('lua', buildEngine(readSource(MANIFESTS.lua), { ...MANIFESTS.lua, stack: { stackPointer: 0, constants } }));
    expect(() => probeLua(engine)).toThrow(/calls without end do not end at 100000 values on the stack|memory access out of bounds/);
  });

  const second = readFileSync(new URL('../../src/script/wasm/linkers/lua-second.wat', import.meta.url), 'utf8');
  const AT = 'i32.load offset=12';
  const REST = 'local.get $L local.get $index call $next\n    if local.get $L i32.const -3';

  it.each([
    ['a list of numbers does not lie where it is read', `local.get $table ${AT}`, 'local.get $table i32.load offset=16'],
    ['a list of numbers does not lie where it is written', `call $topointer ${AT}`, 'call $topointer i32.load offset=16'],
    ['a list of numbers does not lie where it is read', 'local.tee $kind i32.const 3 i32.eq', 'local.tee $kind i32.const 4 i32.eq'],
    ['something else passes for a list of numbers', REST, 'i32.const 0 if local.get $L i32.const -3'],
  ])('fails when %s: %s', async (what, text, changed) => {
    expect(second.split(text).length).toBe(2);
    const wrong = new WebAssembly.Module(new Uint8Array(await assemble(second.replace(text, changed))));
    const engine = compile('lua', buildEngine(readSource(MANIFESTS.lua), MANIFESTS.lua));
    expect(() => probeLua({ ...engine, linkers: { ...engine.linkers, second: wrong } })).toThrow(what);
  });
});

describe('reshaping', () => {
  const lua = () => readSource(MANIFESTS.lua);
  const javascript = () => readSource(MANIFESTS.javascript);

  it.each([
    ['function 285 has the constant 1000000 3 times, not 2', lua, { constants: [{ function: 285, value: 1_000_000, times: 2, becomes: 1 }] }],
    ['function 284 has the constant 1000000 0 times, not 3', lua, { constants: [{ function: 284, value: 1_000_000, times: 3, becomes: 1 }] }],
    ['no function 100000', lua, { constants: [{ function: 100_000, value: 1, times: 1, becomes: 1 }] }],
    ['function 187 takes no frame when it begins', javascript, { frames: { 187: 16 } }],
    ['function 555 moves the stack pointer in a way that is not known', javascript, { frames: { 555: 16 } }],
    ['function 218 looks at the stack in a way that is not known', javascript, { counted: { functions: [218], limit: 644 } }],
  ])('refuses a binary that is not as it assumes: %s', (message, source, plan) => {
    expect(() => reshape(source(), { stackPointer: 0, ...plan })).toThrow(message);
  });
});

describe('the probe of JavaScript', () => {
  const { javascript } = MANIFESTS;
  const source = () => readSource(javascript);

  it('passes', () => {
    expect(() => probeJavaScript()).not.toThrow();
  });

  it('fails when loops of the library are not checked', () => {
    const every = Array.from({ length: 3_000 }, (_, index) => index);
    const engine = compile('javascript', buildEngine(source(), { ...javascript, fuel: { ...javascript.fuel, skip: every } }));
    expect(() => probeJavaScript(engine)).toThrow('the JavaScript engine does not do what llmspell relies on: an array as text does not ask for fuel');
  });

  it.each([
    ['a nested program', { ...javascript.stack, frames: {} }],
    ['nested JSON', { ...javascript.stack, frames: { ...javascript.stack.frames, 940: 0 } }],
    ['a chain of iterators', { ...javascript.stack, guards: [] }],
  ])('fails when what nests too deep is not refused: %s', (what, stack) => {
    const engine = compile('javascript', buildEngine(source(), { ...javascript, stack }));
    expect(() => probeJavaScript(engine)).toThrow(`${what} is not refused when it is too deep`);
  });

  it('fails when the interrupt handler is not asked', async () => {
    const engine = compile('javascript', buildEngine(source(), javascript));
    const deaf = await assemble(`(module
      (import "host" "tick" (func $tick (result i32))) (import "host" "pause" (func $pause))
      (type $normalize (func (param i32 i32) (result i32)))
      (table (export "slots") 1 funcref)
      (func (export "module_normalize") (type $normalize) i32.const 0)
      (func (export "host_interrupt") (result i32) i32.const 0))`);
    const sabotaged = { ...engine, linkers: { ...engine.linkers, first: new WebAssembly.Module(new Uint8Array(deaf)) } };
    expect(() => probeJavaScript(sabotaged)).toThrow('a loop of the script does not ask the interrupt handler');
  });
});

describe('fuel', () => {
  const module = `(module
    (memory (export "memory") 64)
    (global $sp (mut i32) (i32.const 0))
    (func (export "spin") (param i32) loop local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end)
    (func (export "copy") (param i32) i32.const 0 i32.const 100000 local.get 0 memory.copy)
    (func (export "fill") (param i32) i32.const 0 i32.const 7 local.get 0 memory.fill)
    (func (export "move") (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.copy))`;

  async function ticks(call: (exports: WebAssembly.Exports) => void, onTick = (_: WebAssembly.Exports) => undefined as void): Promise<number> {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(instrument(await assemble(module), { stackPointer: 0 })), {});
    let count = 0;
    const [{ fuel }] = [await assembleLinkers()];
    const tick = new WebAssembly.Instance(new WebAssembly.Module(fuel as Uint8Array), {
      host: { tick: () => onTick(exports) ?? Number(++count < 0), pause: () => 0 },
    }).exports.tick;
    exports.__fuel_slot.set(0, tick);
    exports.__fuel.value = 100;
    exports.__fuel_reset.value = 99;
    call(exports);
    return count;
  }

  it('is asked for once per count of loop heads', async () => {
    expect(await ticks((exports) => exports.spin(100))).toBe(0);
    expect(await ticks((exports) => exports.spin(101))).toBe(1);
    expect(await ticks((exports) => exports.spin(1001))).toBe(10);
  });

  it('is paid for bulk operations by their size', async () => {
    expect(await ticks((exports) => exports.copy(6_400))).toBe(0);
    expect(await ticks((exports) => exports.copy(6_464))).toBe(1);
    expect(await ticks((exports) => exports.fill(100_000))).toBe(1);
  });

  it('is asked for in the middle of large ones', async () => {
    const filled: (number | undefined)[] = [];
    const size = 3 * 2 ** 18;
    const look = ({ memory }: WebAssembly.Exports) => void filled.push(new Uint8Array(memory.buffer).indexOf(0));
    expect(await ticks((exports) => exports.fill(size), look)).toBe(3);
    expect(filled).toEqual([0, 2 ** 18, 2 ** 19]);
  });

  it.each([
    ['down', 0, 1],
    ['up', 1, 0],
  ])('is asked for in the middle of a large copy that moves %s within itself', async (_, to, from) => {
    expect(await ticks((exports) => exports.move(to, from, 4 * 2 ** 18))).toBe(4);
  });

  it.each([
    ['apart', 2 ** 21, 5, 2 ** 20 + 3],
    ['to a place below that it overlaps', 7, 100_000, 2 ** 20 + 3],
    ['to a place above that it overlaps', 100_000, 7, 2 ** 20 + 3],
    ['to a place above that it overlaps by less than a piece', 2 ** 20, 7, 2 ** 20 + 3],
    ['to the place right above', 8, 7, 2 ** 20 + 3],
    ['in its place', 9, 9, 2 ** 20],
  ])('large copies are right: %s', async (_, to, from, size) => {
    let wanted = Buffer.alloc(0);
    let got = Buffer.alloc(0);
    await ticks(({ memory, move }) => {
      const bytes = Buffer.from(memory.buffer);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) % 251;
      wanted = Buffer.from(bytes);
      wanted.copyWithin(to, from, from + size);
      move(to, from, size);
      got = bytes;
    });
    expect(got.equals(wanted)).toBe(true);
  });
});

describe('images', () => {
  it('give an equal memory', () => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const bytes = new Uint8Array(memory.buffer);
    for (const at of [0, 4095, 4096, 70_000, 131_071]) bytes[at] = 1 + (at % 200);
    const image = captureImage(memory);
    const copy = new WebAssembly.Memory({ initial: 2 });
    applyImage(copy, image);
    expect(Buffer.compare(new Uint8Array(copy.buffer), bytes)).toBe(0);
    expect(image.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0)).toBe(4 * 4096);
  });
});
