import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../call/digest.ts';
import { ScriptError } from '../../errors.ts';
import { instrument } from './instrument.ts';
import type { Manifest } from './manifests.ts';
import { reshape } from './reshape.ts';
import { importMemory, keepExports } from './trim.ts';

/** Reads the package's binary that a manifest names. Throws INTERNAL when it is another one than the manifest was made for. */
export function readSource(manifest: Manifest): Uint8Array {
  const bytes = readFileSync(fileURLToPath(import.meta.resolve(manifest.source)));
  if (sha256(bytes) !== manifest.sourceSha256)
    throw new ScriptError('INTERNAL', `${manifest.source} is not the binary that llmspell was made for: install the exact version that package.json names`);
  return bytes;
}

/** Trims, reshapes and instruments a binary as its manifest says; about 150 ms. */
export function buildEngine(source: Uint8Array, manifest: Manifest): Uint8Array {
  const open = importMemory(reshape(source, manifest.stack), manifest.memory);
  return instrument(keepExports(open, manifest.exports), manifest.fuel);
}
