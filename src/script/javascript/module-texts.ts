import { asScriptError, ScriptError } from '../../errors.ts';
import type { Fiber } from '../fiber.ts';
import type { Outcome } from '../instance.ts';
import { checkNameSize } from '../modules.ts';
import type { Errors } from './errors.ts';
import type { Machine } from './machine.ts';
import type { ModuleFiles } from './modules.ts';

/** A module's name that must be waited for. */
const WAIT = -1;

/** What modules need of their instance. */
export interface Loader {
  /** Why nothing may enter the engine any more. */
  dead(): Error | undefined;
  /** The fiber that computes. */
  fiber(): Fiber;
  /** Makes the engine's next wait one for this promise, and gives `answer`. */
  suspend(pending: Promise<null>, answer: number): number;
}

/** Names and texts of modules as the engine asks for them: addresses of memory that it frees, 0 when an exception is pending. */
export class ModuleTexts {
  readonly #machine: Machine;
  readonly #errors: Errors;
  readonly #files: ModuleFiles;
  readonly #loader: Loader;

  constructor(machine: Machine, errors: Errors, files: ModuleFiles, loader: Loader) {
    this.#machine = machine;
    this.#errors = errors;
    this.#files = files;
    this.#loader = loader;
  }

  /** The name of the module that another one imports; -1 when another fiber runs it and the engine has to wait, after which it asks again. */
  name(fromAt: number, specifierAt: number, waited: Outcome | null): number {
    const { heap } = this.#machine;
    let other: Promise<null> | undefined;
    const name = this.#answer(() => {
      if (waited && 'error' in waited) throw waited.error;
      const size = heap.utf8Bytes(specifierAt);
      checkNameSize('import', size);
      // All of it: what a NUL cuts off would name another file.
      const specifier = heap.bytes.utf8Slice(specifierAt, specifierAt + size);
      const found = this.#files.resolve(heap.cString(fromAt), specifier, this.#loader.fiber());
      this.#machine.tellsOfJobs = true;
      if (typeof found === 'string') return found;
      other = found;
      return '';
    });
    return other ? this.#loader.suspend(other, WAIT) : name;
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
      const dead = this.#loader.dead();
      if (dead) throw dead;
      this.#errors.raise(asScriptError(error));
      return 0;
    }
  }
}
