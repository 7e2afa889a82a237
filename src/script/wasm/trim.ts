import { encodedName, Reader, SECTION, section, sections, unsigned } from './binary.ts';
import type { MemorySize } from './memories.ts';

/** Keeps only the named exports: most of the time of an instantiation goes into export objects. Throws when one is missing. */
export function keepExports(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const wanted = new Set(names);
  const result = replace(bytes, SECTION.export, (reader) => {
    const kept: Uint8Array[] = [];
    for (let count = reader.number(); count > 0; count--) {
      const start = reader.at;
      const name = reader.name();
      reader.skip(1);
      reader.skipNumber();
      if (wanted.delete(name)) kept.push(bytes.subarray(start, reader.at));
    }
    return [Uint8Array.from(unsigned(kept.length)), ...kept];
  });
  if (wanted.size > 0) throw new Error(`no exports ${[...wanted].join(', ')}`);
  return result;
}

/** Makes the memory an import, `host.memory`, of a first and largest size in pages of 64 KiB, so that the host can use one again. */
export function importMemory(bytes: Uint8Array, pages: MemorySize): Uint8Array {
  const without = replace(bytes, SECTION.memory, () => [Uint8Array.from([0])]);
  return replace(without, SECTION.import, (reader, end) => {
    const count = reader.number();
    const memory = [...encodedName('host'), ...encodedName('memory'), 2, 1, ...unsigned(pages.initial), ...unsigned(pages.maximum)];
    return [Uint8Array.from(unsigned(count + 1)), without.subarray(reader.at, end), Uint8Array.from(memory)];
  });
}

function replace(bytes: Uint8Array, id: number, contents: (reader: Reader, end: number) => readonly Uint8Array[]): Uint8Array {
  const pieces = sections(bytes).map((old) =>
    section(old.id, old.id === id ? contents(new Reader(bytes, old.start), old.end) : [bytes.subarray(old.start, old.end)]),
  );
  return Buffer.concat([bytes.subarray(0, 8), ...pieces]);
}
