import { sha256 } from '../../call/digest.ts';
import { ScriptError } from '../../errors.ts';
import { buildEngine, readSource } from './build.ts';
import { isBuilt, keepBuilt, readBuilt } from './built.ts';
import { LINKERS, LINKERS_HASH } from './linkers.ts';
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
  const file = `${name}-${manifest.sha256.slice(0, 16)}.wasm`;
  const built = readBuilt(file);
  if (built) return built;
  const bytes = new Uint8Array(buildEngine(readSource(manifest), manifest));
  if (sha256(bytes) !== manifest.sha256) throw new ScriptError('INTERNAL', `the ${name} engine that was built is not the one that its manifest names`);
  keepBuilt(file, bytes);
  return bytes;
}

/** Whether this binary, linked as it is now, has passed its probe with this version of V8 on this machine before. */
export function wasProbed(name: EngineName): boolean {
  return isBuilt(probeFile(name));
}

/** Remembers that it has; where the folder cannot be written, each process probes. */
export function rememberProbe(name: EngineName): void {
  keepBuilt(probeFile(name), new Uint8Array());
}

function probeFile(name: EngineName): string {
  return `${name}-${MANIFESTS[name].sha256.slice(0, 16)}-${LINKERS_HASH}.v8-${process.versions.v8}.ok`;
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
