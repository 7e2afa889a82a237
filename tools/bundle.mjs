// Puts the command line into a few files, which load several times faster than three hundred small ones. In a checkout they lie under build/app, and
// bin/llmspell takes them only while no source that they were made of and no dependency is newer, so that they never hide a change.
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Writes build/app anew; needs the development dependency rolldown. */
export async function bundle() {
  const app = join(root, 'build/app');
  const begun = new Date();
  const sources = await write(join(root, 'src/cli/main.ts'), app, () => false);
  const made = join(app, 'made');
  writeFileSync(made, [...sources.map((path) => relative(root, path)), 'package.json', 'node_modules/.package-lock.json'].join('\n'));
  // What changed while the bundle was made may not be in it.
  utimesSync(made, begun, begun);
}

/** Writes app/ into a folder of compiled files, for the package: dependencies that are loaded at need stay what is installed. */
export async function bundleCompiled(dist) {
  await write(join(dist, 'cli/main.js'), join(dist, 'app'), (id) => !id.startsWith('.') && !isAbsolute(id) && !['zod', 'commander', 'ipaddr.js'].includes(id));
}

/** Bundles the command line whose main module this is, and gives the files of its folder that went in. */
async function write(main, app, isExternal) {
  const { rolldown } = await import('rolldown');
  const fresh = `${app}.${process.pid}`;
  const folder = dirname(dirname(main));
  const made = await rolldown({
    input: main,
    cwd: root,
    platform: 'node',
    external: (id, importer) => (/^node:|^wabt$|^usearch$/.test(id) && !isSlim(id, importer)) || (importer?.startsWith(folder) === true && isExternal(id)),
    // A folder elsewhere has no dependencies yet.
    resolve: { modules: ['node_modules', join(root, 'node_modules')] },
    onLog: (_, { code, message }) => {
      if (code === 'UNRESOLVED_IMPORT') throw new Error(message);
    },
    plugins: [places(folder, fresh), commander, builtins, ascii],
    preserveEntrySignatures: 'allow-extension',
    // What an own process loads later may be a part of the program all the same.
    checks: { ineffectiveDynamicImport: false },
  });
  const runs = ofRuns(main);
  await made.write({
    dir: fresh,
    format: 'esm',
    // Libraries know some classes by their names.
    minify: { compress: false, mangle: { keepNames: true }, codegen: true },
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ debugName: 'run', name: (id, context) => (runs(context).has(id) ? 'run' : null) }] },
  });
  rmSync(app, { recursive: true, force: true });
  renameSync(fresh, app);
  return (await made.watchFiles).filter((path) => path.startsWith(folder));
}

/** What a run loads at its start and `llmspell --help` does not: one file, since each costs a millisecond. */
function ofRuns(main) {
  const closure = (context, id, found = new Set()) => {
    if (found.has(id)) return found;
    found.add(id);
    for (const next of context.getModuleInfo(id)?.importedIds ?? []) closure(context, next, found);
    return found;
  };
  let reached;
  return (context) => (reached ??= closure(context, main.replace(/main(\.\w+)$/, 'run$1')).difference(closure(context, main)));
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
function places(folder, app) {
  return {
    name: 'places',
    transform(code, id) {
      if (!id.startsWith(folder) || !code.includes('import.meta.url')) return null;
      const path = JSON.stringify(relative(app, id).replaceAll('\\', '/'));
      return { code: code.replaceAll('import.meta.url', `new URL(${path}, import.meta.url).href`), map: null };
    },
  };
}
