import type { LazyMap, ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { LazyMaps } from '../lazy.ts';
import { immediate, pointerOf, TAG, UNDEFINED } from './exports.ts';
import type { Machine } from './machine.ts';

/** The lazy objects of one context: made by the prelude's function, filled when its handler asks. */
export class LazyObjects {
  readonly #machine: Machine;
  readonly #make: bigint;
  readonly #maps = new LazyMaps();
  /** Numbers by the address of what stands behind them. */
  readonly #targets = new Map<number, number>();

  constructor(machine: Machine, make: bigint) {
    this.#machine = machine;
    this.#make = make;
  }

  /** The engine's object for a map whose first fields are in `own`, whose reference is taken over. */
  add(map: LazyMap, own: bigint): bigint {
    const { x, heap, context } = this.#machine;
    const memory = x.wasm_malloc(16);
    if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a call');
    const id = this.#maps.add(map);
    this.#targets.set(pointerOf(own), id);
    heap.setValue(memory, own);
    heap.setValue(memory + 8, immediate(TAG.int, id));
    const made = x.JS_Call(context, this.#make, UNDEFINED, 2, memory);
    x.wasm_free(memory);
    x.JS_FreeValue(context, own);
    return made;
  }

  /** All fields of one that the script has not had yet. */
  lacking(target: number): ValueMap | undefined {
    return this.#maps.get(this.#targets.get(target) ?? 0);
  }

  /** All fields of one, which the script has from now on. */
  take(id: number): ValueMap {
    return this.#maps.take(id);
  }
}
