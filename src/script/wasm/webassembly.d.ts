/** WebAssembly as far as the engines use it: the DOM's declarations do not come with Node's, and JSPI is in neither. */
declare namespace WebAssembly {
  type ImportValue = ExportValue | number | (() => void);
  // biome-ignore lint/suspicious/noExplicitAny: exports have whatever type the binary gives them
  type ExportValue = any;
  type Exports = Record<string, ExportValue>;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;

  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Table {
    readonly length: number;
    get(index: number): ExportValue;
    set(index: number, value: ExportValue): void;
    grow(count: number): number;
  }
  class Global<_T = 'i32'> {
    value: number;
  }
  class RuntimeError extends Error {}
  class Exception {}
  /** An import that suspends the wasm stack until its promise settles. */
  class Suspending {
    // biome-ignore lint/suspicious/noExplicitAny: the import's type is the binary's
    constructor(fn: (...args: any[]) => unknown);
  }
  /** The export as a function that gives a promise and whose stack can be suspended. */
  // biome-ignore lint/suspicious/noExplicitAny: the export's type is the binary's
  function promising(fn: (...args: any[]) => unknown): (...args: any[]) => Promise<any>;
}

/** Node's Buffer reads and writes text in one call each; its declarations leave these out. */
interface Buffer {
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, at?: number, length?: number): number;
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, at?: number, length?: number): number;
  ucs2Slice(start: number, end: number): string;
}
