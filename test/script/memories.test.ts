import { describe, expect, it, vi } from 'vitest';
import { createMethodTable } from '../../src/call/dispatch.ts';
import { globals } from '../../src/globals/index.ts';
import { createJavaScriptImage } from '../../src/script/javascript/image.ts';
import { Machine } from '../../src/script/javascript/machine.ts';
import { createLuaImage } from '../../src/script/lua/image.ts';
import { LuaMachine } from '../../src/script/lua/machine.ts';
import { type EngineModules, loadEngine } from '../../src/script/wasm/load.ts';
import { Memories } from '../../src/script/wasm/memories.ts';
import { testRuntime } from '../support/runtime.ts';

const table = createMethodTable(globals);
const none = () => 0;
const never = () => new Promise<never>(() => undefined);

/** A context of an engine with a stock of memories of its own, as a run gets it. */
type Open = (engine: EngineModules) => { readonly memory: WebAssembly.Memory; release(empty: boolean): void };

const OPEN: Record<'lua' | 'javascript', () => Open> = {
  lua() {
    const image = createLuaImage(table);
    const host = { image, memoryBytes: 2 ** 26, now: none, call: none, wait: never, finish: () => 0, interrupt: none, tick: () => 0 as const, pause: never };
    return (engine) => {
      const machine = new LuaMachine(host, engine);
      return { memory: machine.x.memory, release: (empty) => machine.release(empty) };
    };
  },
  javascript() {
    const image = createJavaScriptImage(table);
    const tell = () => undefined;
    const ask = () => 0 as const;
    const hooks = { call: ask, wait: never, finish: () => 0, finalize: tell, tick: ask, look: ask, pause: never, loaded: tell, now: none, rejection: tell };
    return (engine) => {
      const machine = new Machine({ ...hooks, moduleName: none, moduleText: none }, image.machine, engine);
      return { memory: machine.x.memory, release: (empty) => machine.release(empty) };
    };
  },
};

/** Keeps what a context left behind. */
class Unwiped extends Memories {
  readonly #last: WebAssembly.Memory[] = [];
  override take(bytes?: number): WebAssembly.Memory {
    return this.#last.pop() ?? super.take(bytes);
  }
  override give(memory: WebAssembly.Memory): void {
    this.#last.push(memory);
  }
}

describe.each(['lua', 'javascript'] as const)('a context of %s in the memory of another', (language) => {
  const open = OPEN[language]();

  /** Whether a context in a memory that another one has filled is, byte for byte, the one in a new memory. */
  function isAsNew(memories: Memories): boolean {
    const engine = { ...loadEngine(language), memories };
    const first = open(engine);
    const fresh = Buffer.from(first.memory.buffer.slice(0));
    new Uint8Array(first.memory.buffer).fill(0xaa);
    first.release(true);
    const second = open(engine);
    expect(second.memory).toBe(first.memory);
    return fresh.equals(Buffer.from(second.memory.buffer));
  }

  it('is as in a new one', () => expect(isAsNew(new Memories(loadEngine(language).manifest.memory))).toBe(true));

  it('would differ where memories are not wiped', () => expect(isAsNew(new Unwiped(loadEngine(language).manifest.memory))).toBe(false));

  it('gets none that has grown', () => {
    const memories = new Memories(loadEngine(language).manifest.memory);
    const first = open({ ...loadEngine(language), memories });
    first.memory.grow(1);
    first.release(true);
    expect(open({ ...loadEngine(language), memories }).memory).not.toBe(first.memory);
  });

  it.each([
    ['after a run that has ended', { lua: 'return 1', javascript: '1' }, 1],
    ['after an error of the script', { lua: 'error("x")', javascript: 'throw new Error("x")' }, 1],
    ['after a kill never', { lua: 'while true do end', javascript: 'for (;;);' }, 0],
    [
      'never while something is suspended in it',
      {
        lua: 'Event.subscribe("a", function() sleep(60000) end) Event.emit("a", 1)',
        javascript: 'Event.subscribe("a", () => sleep(60000)); Event.emit("a", 1)',
      },
      0,
    ],
  ])('comes free %s', async (_, text, times) => {
    await using test = await testRuntime({ log: { level: 'silent' } });
    const give = vi.spyOn(loadEngine(language).memories, 'give');
    await test.runtime.execute(text[language], { language, grants: test.grants, limits: { cpu_ms: 50, drain_ms: 20 } }).catch(() => undefined);
    expect(give).toHaveBeenCalledTimes(times);
    give.mockRestore();
  });
});
