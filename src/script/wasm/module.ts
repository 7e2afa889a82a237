import { Reader, SECTION, sections } from './binary.ts';

/** A function with a body: its index among all functions, its type, where its body starts and ends. */
export interface WasmFunction {
  readonly index: number;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** What a rewriter must know of a module. */
export interface WasmModule {
  /** Number of parameters, by type. */
  readonly types: readonly number[];
  readonly importedFunctions: number;
  readonly functions: readonly WasmFunction[];
  /** Imported and own ones together. */
  readonly tables: number;
  readonly globals: number;
}

/** Reads a module's indexes; throws on a form that the pinned binaries do not use. */
export function readModule(bytes: Uint8Array): WasmModule {
  const all = sections(bytes);
  const reader = (id: number) => {
    const found = all.find((section) => section.id === id);
    return found && new Reader(bytes, found.start);
  };
  const imported = readImports(reader(SECTION.import));
  const types = readTypes(reader(SECTION.type));
  const functionTypes = list(reader(SECTION.function), (it) => it.number());
  const functions = list(reader(SECTION.code), (it, i) => {
    const size = it.number();
    const start = it.at;
    it.skip(size);
    return { index: imported.functions + i, type: functionTypes[i] as number, start, end: start + size };
  });
  return {
    types,
    importedFunctions: imported.functions,
    functions,
    tables: imported.tables + (reader(SECTION.table)?.number() ?? 0),
    globals: imported.globals + (reader(SECTION.global)?.number() ?? 0),
  };
}

function list<T>(reader: Reader | undefined, read: (reader: Reader, index: number) => T): T[] {
  return reader ? Array.from({ length: reader.number() }, (_, i) => read(reader, i)) : [];
}

function readTypes(reader: Reader | undefined): number[] {
  return list(reader, (it) => {
    if (it.byte() !== 0x60) throw new Error('a type that is no function');
    const parameters = it.number();
    it.skip(parameters);
    it.skip(it.number());
    return parameters;
  });
}

function readImports(reader: Reader | undefined): { functions: number; tables: number; globals: number } {
  const count = { functions: 0, tables: 0, globals: 0 };
  list(reader, (it) => {
    it.name();
    it.name();
    const kind = it.byte();
    if (kind === 0) {
      it.skipNumber();
      count.functions++;
    } else if (kind === 2) {
      if (it.byte() & 1) it.skipNumber();
      it.skipNumber();
    } else if (kind === 3) {
      it.skip(2);
      count.globals++;
    } else throw new Error(`an import of kind ${kind}`);
  });
  return count;
}
