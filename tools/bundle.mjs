// Puts the command line into a few files under build/app, which load several times faster than three hundred small ones. bin/llmspell takes them
// only while nothing in src or node_modules is newer, so that they never hide a change.
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const app = join(root, 'build/app');

/** Writes build/app anew; needs the development dependency rolldown. */
export async function bundle() {
  const { rolldown } = await import('rolldown');
  const fresh = `${app}.${process.pid}`;
  const made = await rolldown({
    input: join(root, 'src/cli/main.ts'),
    cwd: root,
    platform: 'node',
    external: /^node:|^wabt$|^usearch$/,
    plugins: [places(fresh)],
  });
  await made.write({ dir: fresh, format: 'esm', minify: { compress: false, mangle: false, codegen: true } });
  rmSync(app, { recursive: true, force: true });
  renameSync(fresh, app);
  // Written last: its time is the bundle's.
  writeFileSync(join(app, 'made'), '');
}

/** The bundled command line when it is as new as everything that it was made of, else undefined. */
export function freshBundle() {
  try {
    const { mtimeMs } = statSync(join(app, 'made'));
    const older = (path) => statSync(path).mtimeMs <= mtimeMs;
    if (!older(join(root, 'node_modules/.package-lock.json')) || !older(join(root, 'package.json'))) return undefined;
    const folders = [join(root, 'src')];
    for (const folder of folders) {
      if (!older(folder)) return undefined;
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) folders.push(join(folder, entry.name));
        else if (!older(join(folder, entry.name))) return undefined;
      }
    }
    return join(app, 'main.js');
  } catch {
    return undefined;
  }
}

/** Files that modules find by their own place (preludes, workers, engines) are still found beside the source. */
function places(folder) {
  return {
    name: 'places',
    transform(code, id) {
      if (!id.startsWith(root) || !code.includes('import.meta.url')) return null;
      const path = JSON.stringify(relative(folder, id).replaceAll('\\', '/'));
      return { code: code.replaceAll('import.meta.url', `new URL(${path}, import.meta.url).href`), map: null };
    },
  };
}
