// Puts the command line into a few files under build/app, which load several times faster than three hundred small ones. bin/llmspell takes them
// only while no source that they were made of and no dependency is newer, so that they never hide a change.
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const app = join(root, 'build/app');

/** Writes build/app anew; needs the development dependency rolldown. */
export async function bundle() {
  const { rolldown } = await import('rolldown');
  const begun = new Date();
  const fresh = `${app}.${process.pid}`;
  const made = await rolldown({
    input: join(root, 'src/cli/main.ts'),
    cwd: root,
    platform: 'node',
    external: (id, importer) => /^node:|^wabt$|^usearch$/.test(id) && !isSlim(id, importer),
    plugins: [places(fresh), commander, builtins, ascii],
    preserveEntrySignatures: 'allow-extension',
    // What an own process loads later may be a part of the program all the same.
    checks: { ineffectiveDynamicImport: false },
  });
  await made.write({
    dir: fresh,
    format: 'esm',
    // Libraries know some classes by their names.
    minify: { compress: false, mangle: { keepNames: true }, codegen: true },
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ debugName: 'run', name: (id, context) => (runs(context).has(id) ? 'run' : null) }] },
  });
  rmSync(app, { recursive: true, force: true });
  renameSync(fresh, app);
  const sources = (await made.watchFiles).filter((path) => path.startsWith(join(root, 'src'))).map((path) => relative(root, path));
  writeFileSync(join(app, 'made'), [...sources, 'package.json', 'node_modules/.package-lock.json'].join('\n'));
  // What changed while the bundle was made may not be in it.
  utimesSync(join(app, 'made'), begun, begun);
}

let reached;

/** What a run loads at its start and `llmspell --help` does not: one file, since each costs a millisecond. */
function runs(context) {
  const closure = (id, found = new Set()) => {
    if (found.has(id)) return found;
    found.add(id);
    for (const next of context.getModuleInfo(id)?.importedIds ?? []) closure(next, found);
    return found;
  };
  reached ??= closure(join(root, 'src/cli/run.ts')).difference(closure(join(root, 'src/cli/main.ts')));
  return reached;
}

/** What commander imports at its start and hardly uses: these take Node longer to load than commander itself. */
const SLIM = {
  'node:process': 'export default process',
  'node:child_process': "export default { spawn: (...args) => process.getBuiltinModule('node:child_process').spawn(...args) }",
};
const isSlim = (id, importer) => id in SLIM && /[\\/]commander[\\/]/.test(importer ?? '');
const commander = {
  name: 'commander',
  resolveId: (id, importer) => (isSlim(id, importer) ? `\0${id}` : null),
  load: (id) => SLIM[id.slice(1)] ?? null,
};

/** A file of plain ASCII is read and kept in half the time and space. */
const ascii = {
  name: 'ascii',
  generateBundle(_, files) {
    const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
    for (const file of Object.values(files)) if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped);
  },
};

/** An import of a module of Node makes it run every getter that it has; taken by hand, what is not asked for is not loaded. */
const builtins = {
  name: 'builtins',
  renderChunk: (code) =>
    code.replaceAll(/^import (?:\* as )?(\w+|\{(?!.*\bdefault as\b).*\}) from "(node:.+)";$/gm, (_, names, id) => {
      return `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule("${id}");`;
    }),
};

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
