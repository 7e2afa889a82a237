import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { letGo } from '../../src/script/wasm/let-go.ts';

const PAGES_OF_16_MB = 256;
const COUNT = 24;
/** The last 64 MB wait for the next garbage collection. */
const FREED = COUNT - 4;

/** How many memories were freed in each turn of the event loop in which some were, until most are or the time is over. */
async function freedPerTurn(drop: (memory: WebAssembly.Memory) => void, more = () => undefined as void): Promise<number[]> {
  const turns: number[] = [];
  let freed = 0;
  let inTurn = 0;
  const registry = new FinalizationRegistry(() => {
    freed++;
    if (inTurn++ > 0) return;
    setImmediate(() => {
      turns.push(inTurn);
      inTurn = 0;
    });
  });
  const make = () => {
    for (let i = 0; i < COUNT; i++) {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_OF_16_MB });
      memory.grow(PAGES_OF_16_MB - 1);
      registry.register(memory, undefined);
      drop(memory);
    }
  };
  make();
  for (const end = performance.now() + 20_000; (freed < FREED || inTurn > 0) && performance.now() < end; more()) await setTimeout(5);
  return turns;
}

describe('memories that are let go', () => {
  it('are freed without being asked for, a few in a turn', async () => {
    const turns = await freedPerTurn(letGo);
    expect(turns.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(FREED);
    expect(Math.max(...turns)).toBeLessThanOrEqual(8);
  });

  it('would be freed all at once where they are just dropped', async () => {
    const turns = await freedPerTurn(
      () => undefined,
      () => void new ArrayBuffer(2 ** 27).transfer(0),
    );
    expect(Math.max(...turns)).toBeGreaterThan(8);
  });

  it('do not wait for one that is held elsewhere', async () => {
    const held = new WebAssembly.Memory({ initial: 64 * 16 });
    letGo(held);
    const turns = await freedPerTurn(letGo);
    expect(turns.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(FREED);
    expect(held.buffer.byteLength).toBe(2 ** 26);
  });
});
