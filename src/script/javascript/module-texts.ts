import { asScriptError, ScriptError } from '../../errors.ts';
import type { Errors } from './errors.ts';
import type { Machine } from './machine.ts';
import type { ModuleFiles } from './modules.ts';

/** Names and texts of modules as the engine asks for them: addresses of memory that it frees, 0 when an exception is pending. */
export class ModuleTexts {
  readonly #machine: Machine;
  readonly #errors: Errors;
  readonly #files: ModuleFiles;
  readonly #dead: () => Error | undefined;

  constructor(machine: Machine, errors: Errors, files: ModuleFiles, dead: () => Error | undefined) {
    this.#machine = machine;
    this.#errors = errors;
    this.#files = files;
    this.#dead = dead;
  }

  /** The name of the module that another one imports. */
  name(fromAt: number, specifierAt: number): number {
    const { heap } = this.#machine;
    return this.#answer(() => this.#files.resolve(heap.cString(fromAt), heap.cString(specifierAt)));
  }

  /** The text of a module; its size in bytes goes to `sizeAt`. */
  text(nameAt: number, sizeAt: number): number {
    return this.#answer(() => this.#files.text(this.#machine.heap.cString(nameAt)), sizeAt);
  }

  #answer(make: () => string, sizeAt = 0): number {
    const { x, heap } = this.#machine;
    try {
      const text = make();
      const size = Buffer.byteLength(text);
      const memory = x.wasm_malloc(size + 1);
      if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a module');
      heap.bytes.utf8Write(`${text}\0`, memory);
      if (sizeAt !== 0) heap.setWord(sizeAt, size);
      return memory;
    } catch (error) {
      const dead = this.#dead();
      if (dead) throw dead;
      this.#errors.raise(asScriptError(error));
      return 0;
    }
  }
}
