import { endianness } from 'node:os';
import { ScriptError } from '../errors.ts';

/** The first SQLite whose write-ahead log cannot be corrupted by two writers at once. */
const LEAST_SQLITE = [3, 51, 3] as const;

/** Throws BAD_CONFIG with one sentence when this Node lacks something that llmspell is built on. */
export function checkPlatform(): void {
  const missing = missingParts();
  if (missing.length > 0)
    throw new ScriptError('BAD_CONFIG', `llmspell needs Node ^24.20 or >=26; this is ${process.versions.node}, which lacks ${missing.join(' and ')}`);
}

function missingParts(): string[] {
  const missing: string[] = [];
  if (typeof WebAssembly.Suspending !== 'function') missing.push('WebAssembly JSPI');
  if (!atLeast(process.versions.sqlite ?? '0', LEAST_SQLITE)) missing.push(`SQLite ${LEAST_SQLITE.join('.')}`);
  if (endianness() !== 'LE') missing.push('a little-endian processor');
  return missing;
}

function atLeast(version: string, wanted: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [at, least] of wanted.entries()) {
    const part = parts[at] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
