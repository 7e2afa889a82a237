import { deserialize, serialize } from 'node:v8';
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
    const kept: { basis: string; made: T } | undefined | null = bytes && deserialize(bytes);
    if (kept?.basis === basis) return kept.made;
  } catch {
    // Cut off or of another version of V8: made again, as is one of another basis.
  }
  const made = make();
  keepBuilt(file, serialize({ basis, made }));
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
