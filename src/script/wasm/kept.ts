import type { MethodTable } from '../../call/dispatch.ts';
import { keepBuilt, readBuilt } from './built.ts';
import { type EngineName, MANIFESTS } from './manifests.ts';

/** The image of a table of built-in globals as a process before made it, or made now and kept for the next: reading one takes a tenth of the time. */
export function keptImage<T>(name: EngineName, table: MethodTable, code: readonly unknown[], make: () => T): T {
  if (!table.standard) return make();
  const basis = imageBasis(name, table, code);
  const file = imageFile(name, basis);
  const bytes = readBuilt(file);
  try {
    const kept = bytes && (unpack(bytes) as { basis: string; made: T } | null);
    if (kept?.basis === basis) return kept.made;
  } catch {
    // Cut off or something else: made again, as is one of another basis.
  }
  const made = make();
  keepBuilt(file, pack({ basis, made }));
  return made;
}

/** All that an image depends on: the binary, the names and numbers of the methods, and the text of the code that makes it. */
export function imageBasis(name: EngineName, table: MethodTable, code: readonly unknown[]): string {
  const named = (methods: MethodTable['handles'][number]['methods']) =>
    methods.map(([method, { index, parameterNames }]) => [method, index, parameterNames.length]);
  const shape = [
    table.globals(name).map(({ name: global, callable, methods }) => [global, callable?.index, callable?.parameterNames.length, named(methods)]),
    table.handles.map(({ type, methods }) => [type.name, named(methods)]),
  ];
  return JSON.stringify([MANIFESTS[name].sha256, shape, code.map(String)]);
}

/** Where images of so long a basis lie; a hash would tell apart those few that share a place, but takes as long as all the rest of an image's reading. */
export function imageFile(name: EngineName, basis: string): string {
  return `${name}-${basis.length}.image`;
}

/** Data as JSON, and behind it the bytes that are parts of it; V8's own form would need a module of Node that takes as long to load as an image to read. */
function pack(data: object): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const json = JSON.stringify(data, (_, value: unknown) => {
    if (typeof value === 'bigint') return { $integer: String(value) };
    if (!(value instanceof Uint8Array)) return value;
    parts.push(value);
    size += value.length;
    return { $bytes: [size - value.length, size] };
  });
  const head = Buffer.from(json);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(head.length, 0);
  sizes.writeUInt32LE(size, 4);
  return Buffer.concat([sizes, head, ...parts]);
}

/** The data of packed bytes. Throws for what is cut off or was never packed. */
function unpack(bytes: Uint8Array): unknown {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = 8 + view.readUInt32LE(0);
  if (bytes.length !== start + view.readUInt32LE(4)) throw new Error('cut off');
  return JSON.parse(view.toString('utf8', 8, start), (_, value) => {
    if (value?.$integer !== undefined) return BigInt(value.$integer);
    return value?.$bytes === undefined ? value : bytes.slice(start + value.$bytes[0], start + value.$bytes[1]);
  });
}
