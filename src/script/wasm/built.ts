import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What is made once per installation: engines, the word that they passed their probe, base images. An installation that cannot be written makes them at each start. */
const FOLDER = new URL('../../../build/engine/', import.meta.url);

export function isBuilt(file: string): boolean {
  return existsSync(new URL(file, FOLDER));
}

export function readBuilt(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(readFileSync(new URL(file, FOLDER)));
  } catch {
    return undefined;
  }
}

/** Keeps a file for the next process, where that can be; it is never seen half written. */
export function keepBuilt(file: string, bytes: Uint8Array): void {
  const path = fileURLToPath(new URL(file, FOLDER));
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch {
    // The next process makes it again.
  }
}

/** Removes files; if none are named, those without which the next process probes the engines and makes their images again. */
export function forgetBuilt(named = /\.(?:ok|image)$/): void {
  if (!existsSync(FOLDER)) return;
  for (const file of readdirSync(FOLDER)) if (named.test(file)) rmSync(new URL(file, FOLDER), { force: true });
}
