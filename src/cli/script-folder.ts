import { type Dirent, type FSWatcher, fstatSync, readdirSync, readFileSync, realpathSync, type Stats, statSync, watch } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sha256 } from '../call/digest.ts';
import { ScriptError } from '../errors.ts';

/** Changes that come closer together are one. */
const SETTLE_MS = 100;
/** Folders that are watched, at most: the nearest. */
const MOST_FOLDERS = 1_000;
/** Why a folder below cannot be watched that is no scripts' any more, or never was. */
const PASSED_OVER: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

/** Which scripts of a folder are looked at: one by its name, and those that have one of the endings, but for what lies in the folder `except`. */
export interface Looked {
  readonly main: string;
  readonly endings: readonly string[];
  readonly except: string;
}

/**
 * The scripts of a folder and of those below it, without hidden ones and `node_modules`: tells when what one holds has changed. It does not keep the
 * process alive but while it is waited for, so that a script for which nothing can come any more is found out.
 */
export class ScriptFolder implements Disposable {
  readonly #folder: string;
  readonly #looked: Looked;
  #watchers: FSWatcher[] = [];
  #stirred = Promise.withResolvers<void>();
  #held: ReadonlyMap<string, string>;

  constructor(folder: string, looked: Looked) {
    this.#folder = folder;
    this.#looked = looked;
    this.#held = this.#look();
  }

  /**
   * Waits until a script holds something else than when it was looked at last, and names it as seen from the folder; undefined when the signal fires
   * first. Throws NOT_FOUND when the folder itself has gone.
   */
  async change(signal: AbortSignal): Promise<string | undefined> {
    signal.addEventListener('abort', () => this.#stirred.resolve(), { once: true });
    for (;;) {
      await this.#stir();
      await setTimeout(SETTLE_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      this.#stirred = Promise.withResolvers();
      const before = this.#held;
      this.#held = this.#look();
      const names = [...new Set([...this.#held.keys(), ...before.keys()])].filter((name) => this.#held.get(name) !== before.get(name));
      if (names.length > 0) return `${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
    }
  }

  /** Waits until something happens in a folder, or the signal fires. */
  async #stir(): Promise<void> {
    const [first] = this.#watchers;
    first?.ref();
    await this.#stirred.promise;
    first?.unref();
  }

  /** What each script holds now, as a digest; folders that have come are watched from here on. */
  #look(): Map<string, string> {
    const held = new Map<string, string>();
    const written = [1, 2].map((fd) => fstatSync(fd));
    const folders = [this.#folder];
    // By its real path a folder is looked into once, whatever links lead to it.
    const known = new Set([realPath(this.#folder)]);
    const before = this.#watchers;
    this.#watchers = [];
    for (const folder of folders) {
      for (const entry of this.#entries(folder)) {
        const path = join(folder, entry.name);
        if (isFolder(entry, path)) {
          const real = realPath(path);
          if (folders.length === MOST_FOLDERS || known.has(real) || !this.#isLookedInto(entry.name, real)) continue;
          known.add(real);
          folders.push(path);
        } else if (this.#isScript(path, entry.name)) {
          const digest = digestOf(path, written);
          if (digest !== undefined) held.set(this.#nameOf(path), digest);
        }
      }
    }
    for (const watcher of before) watcher.close();
    return held;
  }

  /** What is in a folder, which is watched first, so that no change is missed. */
  #entries(folder: string): Dirent[] {
    const stir = () => this.#stirred.resolve();
    try {
      this.#watchers.push(watch(folder, { persistent: false }, stir).on('error', stir));
      return readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (folder !== this.#folder && PASSED_OVER.has(code)) return [];
      throw new ScriptError(code === 'ENOENT' ? 'NOT_FOUND' : 'BAD_ARGUMENT', `${folder}: the folder of the script cannot be watched (${code})`);
    }
  }

  #isLookedInto(name: string, real: string): boolean {
    return !name.startsWith('.') && name !== 'node_modules' && real !== realPath(this.#looked.except);
  }

  #isScript(path: string, name: string): boolean {
    return this.#looked.endings.includes(extname(name)) || path === join(this.#folder, this.#looked.main);
  }

  #nameOf(path: string): string {
    return relative(this.#folder, path).split(sep).join('/');
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}

/** Also by a link: `require` and `import` go through it. */
function isFolder(entry: Dirent, path: string): boolean {
  return entry.isDirectory() || (entry.isSymbolicLink() && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false));
}

/** The path without links; as it is where there is nothing. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Undefined for what is no file, cannot be read, or is where this process itself writes to. */
function digestOf(path: string, written: readonly Stats[]): string | undefined {
  try {
    const stats = statSync(path);
    if (!stats.isFile() || written.some(({ dev, ino }) => dev === stats.dev && ino === stats.ino)) return undefined;
    return sha256(readFileSync(path));
  } catch {
    return undefined;
  }
}
