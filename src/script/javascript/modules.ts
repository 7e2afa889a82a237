import type { Run } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import type { Source } from '../engine.ts';
import type { Fiber } from '../fiber.ts';
import { Loading } from '../loading.ts';
import { resolveModule } from '../modules.ts';
import { EVALUATING_ASYNC } from './exports.ts';

/** The script files of one run, by the names that the engine knows them by, and who is running which. */
export class ModuleFiles {
  readonly #run: Run;
  readonly #status: (name: string) => number | undefined;
  readonly #byName = new Map<string, Source>();
  readonly #names = new Map<string, string>();
  readonly #loading = new Loading('import');

  /** `status` says how far the engine is with a module. */
  constructor(run: Run, status: (name: string) => number | undefined) {
    this.#run = run;
    this.#status = status;
  }

  /** Where relative imports start; its body runs on the fiber. */
  begin(source: Source, fiber: Fiber): void {
    this.#byName.set(source.name, source);
    if (source.path !== undefined) this.#names.set(source.path, source.name);
    this.#loading.hold(source.name, fiber);
  }

  /** True while some fiber runs the body of a module. */
  get loading(): boolean {
    return this.#loading.any;
  }

  /** The bodies that this fiber ran have ended (or go on by promises). */
  ended(fiber: Fiber): void {
    this.#loading.release(fiber);
  }

  /**
   * The name of the module that `specifier` means in the file `from`; a promise while another fiber runs that module's body, since the engine
   * cannot enter it twice. Throws NOT_FOUND, NOT_ALLOWED or DEADLOCK.
   */
  resolve(from: string, specifier: string, fiber: Fiber): string | Promise<null> {
    const name = this.#nameOf(resolveModule(this.#run, this.#byName.get(from) ?? { text: '', name: from }, specifier));
    if ((this.#status(name) ?? 0) >= EVALUATING_ASYNC) return name;
    const other = this.#loading.wait(name, fiber);
    if (!other) this.#loading.hold(name, fiber);
    return other ?? name;
  }

  /** The text of a resolved module. */
  text(name: string): string {
    const source = this.#byName.get(name);
    if (!source) throw new ScriptError('NOT_FOUND', `import: cannot load "${name}"`);
    return source.text;
  }

  /** A line of a file, from 1; undefined where there is none. */
  line(name: string, line: number): string | undefined {
    return this.#byName.get(name)?.text.split('\n')[line - 1];
  }

  #nameOf(found: Source & { readonly path: string }): string {
    const known = this.#names.get(found.path);
    if (known !== undefined) return known;
    let name = found.name;
    for (let n = 2; this.#byName.has(name); n++) name = `${found.name}#${n}`;
    this.#byName.set(name, found);
    this.#names.set(found.path, name);
    return name;
  }
}
