import { basename, dirname, resolve } from 'node:path';
import { ENDINGS, type Language } from '../call/context.ts';
import { loadConfig } from './config-file.ts';
import type { RunFlags } from './options.ts';
import { EXIT } from './report.ts';
import { ScriptFolder } from './script-folder.ts';
import { visible } from './visible.ts';

/**
 * Runs a script at once and again whenever what a script of its folder holds has changed. Gives 0 when Ctrl-C comes while it waits, 130 when that
 * interrupts a run, and at once the status of a first run that could not begin.
 */
export async function watchScript(file: string, language: Language, flags: RunFlags, run: () => Promise<number>): Promise<number> {
  // What changes during a run is run again.
  using scripts = new ScriptFolder(dirname(resolve(file)), { main: basename(file), endings: ENDINGS[language], except: await dataFolderOf(flags) });
  let waiting: AbortController | undefined;
  // Stays from one run to the next: an interrupt that comes in between would end the process.
  const interrupt = () => waiting?.abort();
  process.on('SIGINT', interrupt);
  try {
    for (let first = true; ; first = false) {
      const status = await run();
      if (status === EXIT.interrupted || (first && status === EXIT.usage)) return status;
      waiting = new AbortController();
      process.stderr.write(`watching ${basename(file)}; Ctrl-C ends\n`);
      const changed = await scripts.change(waiting.signal);
      if (changed === undefined) return 0;
      waiting = undefined;
      process.stderr.write(visible(`\n${changed} changed\n`, process.stderr));
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** Where scripts keep their data, which are no scripts to watch. */
async function dataFolderOf(flags: RunFlags): Promise<string> {
  const loaded = await loadConfig(flags.config).catch(() => undefined);
  return resolve(flags.data ?? loaded?.config.data.dir ?? '.llmspell');
}
