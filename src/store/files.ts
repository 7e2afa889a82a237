import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { storeFailure } from './failure.ts';
import type { BackupFiles } from './store.ts';

const ENDING = '.backup';

/** Backups as files of a folder. */
export function backupFolder(folder: string): BackupFiles {
  const path = (id: string) => join(folder, id + ENDING);
  return {
    write(id, bytes) {
      try {
        mkdirSync(folder, { recursive: true });
        writeWhole(path(id), bytes);
      } catch (error) {
        throw storeFailure(error);
      }
    },
    read: (id) => readIfThere(path(id)),
    ids() {
      try {
        return readdirSync(folder)
          .filter((name) => name.endsWith(ENDING))
          .map((name) => name.slice(0, -ENDING.length));
      } catch {
        return [];
      }
    },
    remove(id) {
      const there = readIfThere(path(id)) !== undefined;
      rmSync(path(id), { force: true });
      return there;
    },
  };
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storeFailure(error);
  }
}

/** Writes a file that is there whole or not at all, even when the process or the power ends. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(temporary, path);
}
