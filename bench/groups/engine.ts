import { quickjsEmscripten, wasmoon } from '../engines.ts';
import { calls, open } from '../ours.ts';
import { headline, middleOf, type Row, row } from '../row.ts';

/** The smaller of two bars, one of which is a share of the peer's time: docs/decisions/14. */
const least = (bar: number, share: number) => Number(Math.min(bar, share).toFixed(2));

const ROUNDS = 5;
type Measured = Awaited<ReturnType<typeof calls>>;

function mediansOf(all: readonly Measured[]): Measured {
  const median = (key: keyof Measured) => middleOf(all.map((one) => one[key]));
  return { call: median('call'), wait: median('wait'), map: median('map'), list: median('list'), context: median('context') };
}

/** Contexts, calls and values beside two engines of the same kind: the medians of rounds in which each has its turn, since the machine's speed changes meanwhile. */
export async function engine(): Promise<Row[]> {
  const ours = await open();
  const rounds: Measured[][] = [[], [], [], []];
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, measure] of [() => calls(ours, 'lua'), wasmoon, () => calls(ours, 'javascript'), quickjsEmscripten].entries())
      rounds[at]?.push(await measure());
  await ours.close();
  const [lua, moon, js, quick] = rounds.map(mediansOf) as [Measured, Measured, Measured, Measured];
  return [
    headline(row('new context with all globals, Lua', lua.context / 1000, 'ms', 0.6, ['wasmoon, 120 functions', moon.context / 1000])),
    headline(row('new context with all globals, JavaScript', js.context / 1000, 'ms', 1.2, ['quickjs-emscripten, 120 functions', quick.context / 1000])),
    headline(row('host call with two numbers, Lua', lua.call, 'µs', least(1, moon.call / 5), ['wasmoon', moon.call])),
    headline(row('host call with two numbers, JavaScript', js.call, 'µs', least(3, quick.call / 10), ['quickjs-emscripten', quick.call])),
    headline(row('call that waits, Lua', lua.wait, 'µs', 3, ['wasmoon', moon.wait])),
    headline(row('call that waits, JavaScript', js.wait, 'µs', 6, ['quickjs-emscripten (asyncify)', quick.wait])),
    row('small map across and back, Lua', lua.map, 'µs', 3, ['wasmoon', moon.map]),
    row('small map across and back, JavaScript', js.map, 'µs', 5, ['quickjs-emscripten', quick.map]),
    row('1,000 numbers across and back, Lua', lua.list, 'µs', 60, ['wasmoon', moon.list]),
    row('1,000 numbers across and back, JavaScript', js.list, 'µs', 200, ['quickjs-emscripten', quick.list]),
  ];
}
