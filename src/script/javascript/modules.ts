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
  /** Each import that was found, by its file and what it names there, with the module that it means. */
  readonly #imports = new Map<string, { readonly importer: Source; readonly specifier: string; readonly name: string }>();
  /** What the last import that failed said, and where it stands: the engine does not say. */
  #failed: { readonly message: string; readonly where: { file: string; line: number } } | undefined;

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
    const importer = this.#byName.get(from) ?? { text: '', name: from };
    const name = this.#nameOf(this.#found(importer, specifier));
    this.#imports.set(`${from}\0${specifier}`, { importer, specifier, name });
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

  /** The text of a file, undefined where there is none. */
  source(name: string): string | undefined {
    return this.#byName.get(name)?.text;
  }

  /** Where the import that failed with this message stands, if that was the last one or one of what its module does not export. */
  failedAt(message: string): { file: string; line: number } | undefined {
    if (this.#failed?.message === message) return this.#failed.where;
    const [, wanted, module] = /export '(.+)' in module '(.+)'/.exec(message) ?? [];
    if (wanted === undefined) return undefined;
    for (const { importer, specifier, name } of this.#imports.values()) {
      const line = name === module ? lineOfImport(importer.text, specifier, wanted) : undefined;
      if (line !== undefined) return { file: importer.name, line };
    }
    return undefined;
  }

  #found(importer: Source, specifier: string): Source & { readonly path: string } {
    try {
      return resolveModule(this.#run, importer, specifier);
    } catch (error) {
      const names = (text: string) => text.includes(`"${specifier}"`) || text.includes(`'${specifier}'`);
      const [line, second] = importer.text.split('\n').flatMap((text, index) => (names(text) ? [index + 1] : []));
      if (line !== undefined && second === undefined) this.#failed = { message: (error as Error).message, where: { file: importer.name, line } };
      throw error;
    }
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

/** What a statement imports or exports of another module, and which. */
const STATEMENT = /\b(?:import|export)\b((?:(?!\b(?:import|export)\b)[^;'"])*?)\bfrom\s*['"](.*?)['"]/g;

/** The line where a statement imports or exports this name of a module; undefined where none does. */
function lineOfImport(text: string, specifier: string, name: string): number | undefined {
  for (const { 0: statement, 1: names = '', 2: from, index } of text.matchAll(STATEMENT)) {
    if (from !== specifier) continue;
    const word = [...names.matchAll(/[\p{ID_Continue}$]+/gu)].find(([word]) => word === name);
    const at = word ? statement.indexOf(names) + word.index : name === 'default' ? 0 : undefined;
    if (at !== undefined) return text.slice(0, index + at).split('\n').length;
  }
  return undefined;
}
