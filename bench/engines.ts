import { newAsyncContext, newQuickJSWASMModule } from 'quickjs-emscripten';
import { LuaFactory } from 'wasmoon';
import { median } from './row.ts';

const GLOBALS = 120;

/** The same work in wasmoon: host calls, waiting calls, a new context with as many functions, values across and back; µs. */
export async function wasmoon() {
  const factory = new LuaFactory();
  const lua = await factory.createEngine();
  lua.global.set('f', (a: number) => a);
  lua.global.set('later', async (a: number) => a);
  lua.global.set('echo', (value: unknown) => value);
  const run = (text: string) => lua.doString(text);
  await run('for i = 1, 1000 do f(i, 2) end');
  const result = {
    call: await median(5, 20_000, () => run('for i = 1, 20000 do f(i, 2) end')),
    wait: await median(5, 5_000, () => run('for i = 1, 5000 do later(i):await() end')),
    map: await median(5, 2_000, () => run('local t = {a = 1, b = "x", c = true} for i = 1, 2000 do echo(t) end')),
    list: await median(5, 20, () => run('local t = {} for i = 1, 1000 do t[i] = i end for i = 1, 20 do echo(t) end')),
    context: await median(15, 1, async () => {
      const fresh = await factory.createEngine();
      for (let i = 0; i < GLOBALS; i++) fresh.global.set(`f${i}`, () => i);
      fresh.global.close();
    }),
  };
  lua.global.close();
  return result;
}

/** The same work in quickjs-emscripten, its asyncify build for what waits; µs. */
export async function quickjsEmscripten() {
  const module = await newQuickJSWASMModule();
  const vm = module.newContext();
  const define = (name: string, fn: Parameters<typeof vm.newFunction>[1]) => vm.newFunction(name, fn).consume((made) => vm.setProp(vm.global, name, made));
  define('f', (a) => vm.newNumber(vm.getNumber(a)));
  define('echo', (value) => vm.unwrapResult(vm.evalCode(`(${JSON.stringify(vm.dump(value))})`)));
  const run = (text: string) => vm.unwrapResult(vm.evalCode(text)).dispose();
  run('for (let i = 0; i < 1000; i++) f(i, 2)');
  const asynchronous = await newAsyncContext();
  asynchronous
    .newAsyncifiedFunction('later', async (a) => asynchronous.newNumber(asynchronous.getNumber(a)))
    .consume((made) => asynchronous.setProp(asynchronous.global, 'later', made));
  const result = {
    call: await median(5, 20_000, () => run('for (let i = 0; i < 20000; i++) f(i, 2)')),
    wait: await median(5, 2_000, async () => asynchronous.unwrapResult(await asynchronous.evalCodeAsync('for (let i = 0; i < 2000; i++) later(i)')).dispose()),
    map: await median(5, 2_000, () => run('{ const t = {a: 1, b: "x", c: true}; for (let i = 0; i < 2000; i++) echo(t) }')),
    list: await median(5, 20, () => run('{ const t = Array.from({length: 1000}, (_, i) => i); for (let i = 0; i < 20; i++) echo(t) }')),
    context: await median(15, 1, () => {
      const fresh = module.newContext();
      for (let i = 0; i < GLOBALS; i++) fresh.newFunction(`f${i}`, () => fresh.undefined).consume((made) => fresh.setProp(fresh.global, `f${i}`, made));
      fresh.dispose();
    }),
  };
  vm.dispose();
  asynchronous.dispose();
  return result;
}
