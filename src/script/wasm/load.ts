import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../call/digest.ts';
import { ScriptError } from '../../errors.ts';
import { buildEngine, readSource } from './build.ts';
import { LINKERS } from './linkers.ts';
import { type EngineName, MANIFESTS, type Manifest } from './manifests.ts';
import { Memories } from './memories.ts';

/** An engine's modules, compiled once per process. */
export interface EngineModules {
  readonly module: WebAssembly.Module;
  readonly manifest: Manifest;
  readonly memories: Memories;
  /** Given to the binary as its imports, linked behind it, and called when fuel is used up. */
  readonly linkers: { readonly first: WebAssembly.Module; readonly second: WebAssembly.Module; readonly tick: WebAssembly.Module };
}

const FOLDER = new URL('../../../build/engine/', import.meta.url);
const loaded = new Map<EngineName, EngineModules>();

/** Loads an engine's modules, making the binary first when it is missing. Throws INTERNAL when a binary is not the one that the manifest names. */
export function loadEngine(name: EngineName): EngineModules {
  const engine = loaded.get(name) ?? compile(name, engineBinary(name));
  loaded.set(name, engine);
  return engine;
}

/** The rewritten binary: as built before, or built now and kept for the next start where the folder can be written. The hash is in the file's name, and checked before it gets one. */
export function engineBinary(name: EngineName): Uint8Array<ArrayBuffer> {
  const manifest = MANIFESTS[name];
  const file = new URL(`${name}-${manifest.sha256.slice(0, 16)}.wasm`, FOLDER);
  const built = read(file);
  if (built) return built;
  const bytes = new Uint8Array(buildEngine(readSource(manifest), manifest));
  if (sha256(bytes) !== manifest.sha256) throw new ScriptError('INTERNAL', `the ${name} engine that was built is not the one that its manifest names`);
  keep(file, bytes);
  return bytes;
}

/** Whether this binary has passed its probe with this version of V8 on this machine before. */
export function wasProbed(name: EngineName): boolean {
  return existsSync(probeFile(name));
}

/** Remembers that it has; where the folder cannot be written, each process probes. */
export function rememberProbe(name: EngineName): void {
  keep(probeFile(name), new Uint8Array());
}

/** Makes the next process probe the engines again. */
export function forgetProbes(): void {
  for (const name of Object.keys(MANIFESTS) as EngineName[]) rmSync(probeFile(name), { force: true });
}

function probeFile(name: EngineName): URL {
  return new URL(`${name}-${MANIFESTS[name].sha256.slice(0, 16)}.v8-${process.versions.v8}.ok`, FOLDER);
}

/** The modules of an engine whose binary is given. */
export function compile(name: EngineName, binary: Uint8Array): EngineModules {
  const manifest = MANIFESTS[name];
  return {
    module: new WebAssembly.Module(binary),
    manifest,
    memories: new Memories(manifest.memory),
    linkers: { first: linker(`${name}-first`), second: linker(`${name}-second`), tick: linker('fuel') },
  };
}

function linker(name: keyof typeof LINKERS): WebAssembly.Module {
  return new WebAssembly.Module(new Uint8Array(Buffer.from(LINKERS[name], 'base64')));
}

function read(file: URL): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(file));
  } catch {
    return undefined;
  }
}

function keep(file: URL, bytes: Uint8Array): void {
  const path = fileURLToPath(file);
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch {
    // An installation that cannot be written builds and probes at each start.
  }
}
