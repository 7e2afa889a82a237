// Runs the tests: all, or those whose file or name fits a word (`lua`, `javascript`, `conformance`, …), or `torture`. Ends with `N passed, N failed`.
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';
import { bundle } from './bundle.mjs';
import { program } from './launch.mjs';

// Processes that tests start compile the sources once for all.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../build/compiled', import.meta.url));

// And start in half the time from one file; a few tests are done sooner than it is made.
if (process.argv.length === 2 && program().endsWith('.ts')) await bundle();

const memory = folderInMemory();
if (memory) {
  process.env.TMPDIR = memory;
  process.once('exit', () => rmSync(memory, { recursive: true, force: true }));
}

const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const torture = words.includes('torture');
const name = words.find((word) => word === 'lua' || word === 'javascript');
const files = words.filter((word) => word !== name && word !== 'torture');

// A language selects the tests of its own folder and its half of every conformance table.
const filters = name ? ['test/conformance', `test/script/${name}`] : files;
const vitest = await startVitest('test', torture && files.length === 0 ? ['test/torture'] : filters, {
  watch: false,
  passWithNoTests: false,
  ...(torture && { include: ['test/torture/**/*.test.ts'], exclude: [], testTimeout: 3_600_000 }),
  ...(name && { testNamePattern: new RegExp(`\\b${name}\\b|^(?!.*\\b(?:lua|javascript)\\b)`) }),
});
let passed = 0;
let failed = 0;
for (const file of vitest.state.getTestModules()) {
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') passed++;
    if (state === 'failed') failed++;
  }
  if (file.errors().length > 0) failed++;
}
failed += vitest.state.getUnhandledErrors().length;
await vitest.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

/** A folder for the data folders of the tests in memory, where the machine has such a place: thousands of small databases wait for a disk most of their time. */
function folderInMemory() {
  const place = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(place);
    return bavail * bsize >= 2 ** 31 ? mkdtempSync(`${place}/llmspell-test-`) : undefined;
  } catch {
    return undefined;
  }
}
