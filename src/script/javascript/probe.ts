import { ScriptError } from '../../errors.ts';
import { type EngineModules, loadEngine } from '../wasm/load.ts';
import { CLASS, CONTEXT, MODULE, OBJECT, PROPERTY, pointerOf, RUNTIME, TAG, tagOf } from './exports.ts';
import { Machine, withoutHost } from './machine.ts';

const FUEL = 3;
/** Each must ask for fuel at least this often when it starts with next to none. */
const LEAST_TICKS = 3;

/** Loops in the engine's C code, which its own interrupt handler never sees. */
const LIBRARY = {
  'an array as text': '"" + new Array(50)',
  'a pattern': '/(a+)+b/.test("a".repeat(8))',
  'a sort': '[3, 1, 2, 5, 4, 9, 8, 7, 6].sort()',
} as const;

/** Nested too deep for a stack of the host's size: by frames that the rewriting has enlarged, and where it has added a look at the stack. */
const DEEP = {
  'a nested program': 'eval("(".repeat(200) + "1" + ")".repeat(200))',
  'nested JSON': 'JSON.parse("[".repeat(2000) + "]".repeat(2000))',
  'a chain of iterators': 'let chain = [1].values(); for (let i = 0; i < 1000; i++) chain = chain.take(1); chain.next()',
} as const;

/**
 * Checks on a bare engine, once per binary and version of V8, that the rewritten binary does what the runtime relies on: loops of the library
 * ask for fuel, those of scripts ask the interrupt handler, what nests too deep is refused, and the structures lie where they are read. Throws
 * INTERNAL with the first thing that is not so.
 */
export function probeJavaScript(engine: EngineModules = loadEngine('javascript')): void {
  let ticks = 0;
  let looks = 0;
  let frame = 0;
  let stack = 0;
  let answer: 0 | 2 = 0;
  const refuse = () => {
    throw failed('it waits where nothing can wait');
  };
  const machine = new Machine(
    {
      ...withoutHost(refuse),
      call: () => {
        frame = machine.heap.pointer(machine.runtime + RUNTIME.frame);
        stack = machine.x.__stack_pointer.value;
        return 0;
      },
      finalize: () => undefined,
      tick: () => {
        ticks++;
        return 0;
      },
      look: () => {
        looks++;
        return answer;
      },
    },
    undefined,
    engine,
  );
  const { x, heap, context, runtime } = machine;
  const text = (value: string) => {
    const pointer = x.wasm_malloc(value.length + 1);
    heap.bytes.latin1Write(`${value}\0`, pointer);
    return pointer;
  };
  const run = (source: string) => x.JS_Eval(context, text(source), source.length, text('probe'), 0);
  const check = (holds: boolean, what: string) => {
    if (!holds) throw failed(what);
  };

  for (const [name, source] of Object.entries(LIBRARY)) {
    ticks = 0;
    x.__fuel.value = x.__fuel_reset.value = FUEL;
    check(tagOf(run(source)) !== TAG.exception, `${name} fails`);
    check(ticks >= LEAST_TICKS, `${name} does not ask for fuel`);
  }
  run('for (let i = 0; i < 30000; i++);');
  check(looks > 0, 'a loop of the script does not ask the interrupt handler');
  answer = 2;
  check(tagOf(run('for (;;) try { for (;;); } catch {}')) === TAG.exception, 'the interrupt handler does not end a loop');
  answer = 0;
  x.JS_FreeValue(context, x.JS_GetException(context));

  for (const [name, source] of Object.entries(DEEP)) {
    check(tagOf(run(source)) === TAG.exception, `${name} is not refused when it is too deep`);
    x.JS_FreeValue(context, x.JS_GetException(context));
  }

  const global = x.JS_GetGlobalObject(context);
  const fn = x.JS_NewCFunctionData2(context, machine.hostFunction, text('host'), 0, 0, 0, 0);
  x.JS_DefinePropertyValue(context, global, x.JS_NewAtomLen(context, text('host'), 4), fn, PROPERTY.plain);
  check(heap.word(runtime + RUNTIME.frame) === 0, 'a frame is current while nothing runs');
  run('(() => host())()');
  check(frame > stack && frame - stack < 256, 'the current frame is not where it should be');
  check(x.JS_IsJobPending(runtime) === 0 && heap.word(runtime + RUNTIME.frame) === 0, 'a frame is left behind');

  const object = run('({ text: "\\u00e9x", number: 2.5, list: [1, 2] })');
  const value = pointerOf(object);
  check(heap.classOf(value) === CLASS.object && heap.prototypeOf(value) !== 0, 'objects are not laid out as expected');
  for (const [second, wide] of [
    ['\\u00e9', false],
    ['\\u20ac', true],
  ] as const) {
    const rope = run(`"x".repeat(9000) + "${second}".repeat(9000)`);
    check(tagOf(rope) === TAG.rope && heap.isWide(tagOf(rope), pointerOf(rope)) === wide, 'texts that are joined are not laid out as expected');
  }
  const [first, second, third] = heap.slots(value);
  check(first?.key === 'text' && heap.text(heap.tag(first.at), heap.pointer(first.at)) === '\u00e9x', 'texts are not laid out as expected');
  check(second?.key === 'number' && heap.double(second.at) === 2.5, 'numbers are not laid out as expected');
  const list = third ? heap.pointer(third.at) : 0;
  check(heap.classOf(list) === CLASS.array && heap.word(list + OBJECT.count) === 2, 'arrays are not laid out as expected');
  const random = heap.word(context + CONTEXT.random);
  run('Math.random()');
  check(heap.word(context + CONTEXT.random) !== random, 'the random state is not where it should be');
  looks = 0;
  heap.setWord(context + CONTEXT.polls, 1);
  run('for (let i = 0; i < 3; i++);');
  check(looks === 1, 'the count of polls is not where it should be');
  const source = 'export default 1';
  const module = pointerOf(x.JS_Eval(context, text(source), source.length, text('probe.mjs'), 33));
  check(
    heap.pointer(context + CONTEXT.modules + 4) === module + MODULE.link && heap.moduleStatus(context, 'probe.mjs') === 0,
    'modules are not laid out as expected',
  );
}

function failed(what: string): ScriptError {
  return new ScriptError('INTERNAL', `the JavaScript engine does not do what llmspell relies on: ${what}`);
}
