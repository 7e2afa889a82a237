import { watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/** Changes that come closer together are one. */
const SETTLE_MS = 100;

/** Runs something at once and again whenever a script of the same folder changes, until Ctrl-C. */
export async function watchScript(file: string, run: () => Promise<number>): Promise<number> {
  const folder = dirname(resolve(file));
  let status = await run();
  return new Promise((done) => {
    let timer: NodeJS.Timeout | undefined;
    let running = false;
    let changed = false;
    const again = async () => {
      changed = true;
      if (running) return;
      running = true;
      // What changes during a run is run again.
      while (changed) {
        changed = false;
        process.stderr.write(`\n${basename(file)} changed\n`);
        status = await run();
      }
      running = false;
    };
    const watcher = watch(folder, (_, name) => {
      if (name !== null && !/\.(?:lua|m?js|json|md|txt)$/.test(name)) return;
      clearTimeout(timer);
      timer = setTimeout(again, SETTLE_MS);
    });
    // Told when it is true: what changes from here on is seen.
    process.stderr.write(`watching ${basename(file)}; Ctrl-C ends\n`);
    process.once('SIGINT', () => {
      watcher.close();
      clearTimeout(timer);
      done(status);
    });
  });
}
