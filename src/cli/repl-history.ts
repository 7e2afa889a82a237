import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Language } from '../call/context.ts';
import { makeFolder } from '../store/folders.ts';

const MOST_LINES = 1_000;

/** The lines that were typed, in the data folder, for each language by itself. */
export interface History {
  /** Latest first, as readline wants them. */
  readonly lines: string[];
  /** Writes them; a folder that cannot be written loses them without a word. */
  save(lines: readonly string[]): void;
}

/** Opens the history; there is none where it cannot be read. */
export function openHistory(dataDir: string, language: Language): History {
  const file = join(dataDir, `history.${language}`);
  return {
    lines: read(file).slice(-MOST_LINES).reverse(),
    save(lines) {
      try {
        makeFolder(dataDir);
        writeFileSync(file, `${[...lines].slice(0, MOST_LINES).reverse().join('\n')}\n`, { mode: 0o600 });
      } catch {
        // Nothing depends on it.
      }
    },
  };
}

function read(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
