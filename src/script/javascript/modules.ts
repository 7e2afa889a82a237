import type { Run } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import type { Source } from '../engine.ts';
import { resolveModule } from '../modules.ts';

/** The script files of one run, by the names that the engine knows them by. */
export class ModuleFiles {
  readonly #run: Run;
  readonly #byName = new Map<string, Source>();
  readonly #names = new Map<string, string>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** The main script, where relative imports start. */
  set main(source: Source) {
    this.#byName.set(source.name, source);
    if (source.path !== undefined) this.#names.set(source.path, source.name);
  }

  /** The name of the module that `specifier` means in the file `from`; throws NOT_FOUND or NOT_ALLOWED. */
  resolve(from: string, specifier: string): string {
    const base = this.#byName.get(from) ?? { text: '', name: from };
    const found = resolveModule(this.#run, base, specifier);
    const known = this.#names.get(found.path);
    if (known !== undefined) return known;
    let name = found.name;
    for (let n = 2; this.#byName.has(name); n++) name = `${found.name}#${n}`;
    this.#byName.set(name, found);
    this.#names.set(found.path, name);
    return name;
  }

  /** The text of a resolved module. */
  text(name: string): string {
    const source = this.#byName.get(name);
    if (!source) throw new ScriptError('NOT_FOUND', `import: cannot load "${name}"`);
    return source.text;
  }
}
