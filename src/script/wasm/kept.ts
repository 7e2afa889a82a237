import { deserialize, serialize } from 'node:v8';
import type { MethodTable } from '../../call/dispatch.ts';
import { keepBuilt, readBuilt } from './built.ts';
import { type EngineName, MANIFESTS } from './manifests.ts';

/** The image of a table of built-in globals as a process before made it, or made now and kept for the next: reading one takes a tenth of the time. */
export function keptImage<T>(name: EngineName, table: MethodTable, code: readonly unknown[], make: () => T): T {
  if (!table.standard) return make();
  const file = imageFile(name, table, code);
  const bytes = readBuilt(file);
  try {
    const kept: { file: string; made: T } | undefined | null = bytes && deserialize(bytes);
    if (kept?.file === file) return kept.made;
  } catch {
    // Cut off or of another version of V8: made again, as is one that belongs elsewhere.
  }
  const made = make();
  keepBuilt(file, serialize({ file, made }));
  return made;
}

/** Named by a hash of all that an image depends on: the binary, the names and numbers of the methods, and the text of the code that makes it. */
export function imageFile(name: EngineName, table: MethodTable, code: readonly unknown[]): string {
  const named = (methods: MethodTable['handles'][number]['methods']) =>
    methods.map(([method, { index, compiled }]) => [method, index, compiled.parameterNames.length]);
  const shape = [
    table.globals(name).map(({ name: global, callable, methods }) => [global, callable?.index, callable?.compiled.parameterNames.length, named(methods)]),
    table.handles.map(({ type, methods }) => [type.name, named(methods)]),
  ];
  return `${name}-${fingerprint(JSON.stringify([MANIFESTS[name].sha256, shape, code.map(String)]))}.image`;
}

/** FNV-1a with two primes, 64 bits: against chance, not against intent, and without loading Node's cryptography at each start. */
function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = a;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
