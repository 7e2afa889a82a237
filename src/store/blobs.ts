import { closeSync, createReadStream, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from '../call/digest.ts';
import type { StagedFile } from './artifacts.ts';
import { storeFailure } from './failure.ts';
import { LEFT_AFTER_MS } from './files.ts';

/** Loaded at first use: most scripts have no blobs. */
const files = () => process.getBuiltinModule('node:fs/promises');

const NAME = /^[0-9a-f]{64}-[0-9a-f]{16}$/;

/** Content that is too large for the database, as files; each name is used once, so that removing one never meets a new one. */
export interface BlobFiles {
  /** Writes pieces to a temporary file and waits for the disk. Throws STORE_FAILED, and what the pieces throw; then nothing stays. */
  stage(pieces: AsyncIterable<Uint8Array>): Promise<StagedFile>;
  /** The bytes of a file; throws an error with code ENOENT when it is gone. */
  read(file: string): AsyncIterable<Uint8Array>;
  remove(file: string): void;
  /** Removes files that nobody will ask for: old temporary ones, and those that `drop` agrees to. Gives how many. */
  sweep(drop: (file: string) => boolean | Promise<boolean>, now: number): Promise<number>;
}

/** Files of a folder, `ab/abcd…`. */
export function blobFolder(folder: string): BlobFiles {
  const path = (file: string) => join(folder, file.slice(0, 2), file);
  return {
    stage: (pieces) => stageIn(folder, pieces, path),
    read: (file) => createReadStream(path(file)),
    remove: (file) => rmSync(path(file), { force: true }),
    async sweep(drop, now) {
      let removed = 0;
      for (const name of await entries(folder)) {
        if (name.endsWith('.tmp')) {
          const age = await files()
            .stat(join(folder, name))
            .then(
              ({ mtimeMs }) => now - mtimeMs,
              () => 0,
            );
          if (age > LEFT_AFTER_MS) {
            rmSync(join(folder, name), { force: true });
            removed++;
          }
          continue;
        }
        for (const file of await entries(join(folder, name))) {
          if (!NAME.test(file) || !(await drop(file))) continue;
          removed++;
        }
      }
      return removed;
    },
  };
}

async function stageIn(folder: string, pieces: AsyncIterable<Uint8Array>, path: (file: string) => string): Promise<StagedFile> {
  const temporary = join(folder, `${process.pid}-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await files().mkdir(folder, { recursive: true, mode: 0o700 });
    const handle = await files().open(temporary, 'wx', 0o600);
    try {
      for await (const piece of pieces) await handle.appendFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return {
    place(hash) {
      const file = `${hash}-${randomBytes(8).toString('hex')}`;
      if (mkdirSync(dirname(path(file)), { recursive: true, mode: 0o700 }) !== undefined) syncFolder(folder);
      renameSync(temporary, path(file));
      syncFolder(dirname(path(file)));
      return file;
    },
    discard: () => rmSync(temporary, { force: true }),
  };
}

/** A renamed file is there after a power loss only when its folder was written too; Windows does so by itself and opens no folders. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await files().readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw storeFailure(error);
  }
}

/** Files of a process that keeps nothing. */
export function memoryBlobs(): BlobFiles {
  const files = new Map<string, Buffer>();
  return {
    async stage(pieces) {
      const all: Uint8Array[] = [];
      for await (const piece of pieces) all.push(piece);
      const bytes = Buffer.concat(all);
      return {
        place(hash) {
          const file = `${hash}-${randomBytes(8).toString('hex')}`;
          files.set(file, bytes);
          return file;
        },
        discard: () => undefined,
      };
    },
    async *read(file) {
      const bytes = files.get(file);
      if (!bytes) throw Object.assign(new Error('the file is gone'), { code: 'ENOENT' });
      yield bytes;
    },
    remove: (file) => void files.delete(file),
    async sweep(drop) {
      let removed = 0;
      for (const file of files.keys()) if (await drop(file)) removed++;
      return removed;
    },
  };
}
