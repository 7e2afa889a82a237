import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Two texts that speak of the same: a name and what is said of it, or a sentence and what follows it. */
export type Pair = readonly [short: string, long: string];

const MOST_SHORT = 300;
const MOST_LONG = 1_500;
const LEAST_SAID = 25;

/** The pairs of a package's type declarations and Markdown files, each once, in the order of their paths. */
export function pairsOf(folder: string): Pair[] {
  const pairs = new Map<string, Pair>();
  const add = (short: string, long: string) => {
    if (short.length >= 3 && long.length >= 20) pairs.set(`${short}|${long.slice(0, 120)}`, [short.slice(0, MOST_SHORT), long.slice(0, MOST_LONG)]);
  };
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  for (const file of files.toSorted()) {
    if (/node_modules|changelog|locale|license|\bcompiled\b/i.test(file)) continue;
    if (/\.d\.m?ts$/.test(file)) declared(readFileSync(join(folder, file), 'utf8'), add);
    else if (/\.mdx?$/.test(file)) headed(readFileSync(join(folder, file), 'utf8'), add);
  }
  return [...pairs.values()];
}

type Add = (short: string, long: string) => void;

const HOLDER = String.raw`(?:^|\n)[ \t]*(?:export |declare |default |abstract )*(?:interface|class|namespace|module|enum|type) ([A-Za-z_$][\w$]*)`;
const WORDS_BEFORE =
  '(?:(?:export|declare|default|abstract|readonly|static|public|protected|private|async|get|set|const|let|var|function|interface|class|namespace|module|enum|type|new)\\s+)*';
const DECLARED = new RegExp(`${HOLDER}|\\/\\*\\*((?:(?!\\*\\/)[\\s\\S])*)\\*\\/\\s*(${WORDS_BEFORE})['"]?([A-Za-z_$][\\w$]*)`, 'g');

/** What is declared, with the comment above it. */
function declared(text: string, add: Add): void {
  let holder = '';
  for (const [, opened, comment = '', before = '', name = ''] of text.matchAll(DECLARED)) {
    if (opened !== undefined) {
      holder = opened;
      continue;
    }
    if (/interface|class|namespace|enum/.test(before)) holder = name;
    const [description = ''] = comment.replaceAll(/^\s*\*+ ?/gm, '').split(/\n\s*@(?!deprecated|summary|remarks|description)/);
    const said = plain(description.replaceAll(/```[\s\S]*?```/g, ' ').replaceAll(/@\w+/g, ' '));
    if (said.length < LEAST_SAID) continue;
    add(holder && holder !== name ? `${holder} ${name}` : name, said);
    const [first = '', ...others] = sentences(said);
    const rest = others.join(' ');
    if (first.length > LEAST_SAID && rest.length > 40) add(first, `${name} ${rest}`);
  }
}

/** What stands under each heading. */
function headed(text: string, add: Add): void {
  const trail: string[] = [];
  for (const part of text.replace(/^---\n[\s\S]*?\n---\n/, '').split(/\n(?=#{1,5} )/)) {
    const [line, signs = '', title = ''] = /^(#{1,5}) (.*)/.exec(part) ?? [];
    if (line === undefined) continue;
    trail.length = signs.length;
    trail[signs.length - 1] = plain(title);
    const body = plain(
      part
        .slice(line.length)
        .replaceAll(/```\w*/g, ' ')
        .replaceAll(/[|*_]/g, ' '),
    );
    if (body.length < 60) continue;
    add(trail.filter(Boolean).slice(-2).join(' '), body);
    const said = sentences(body);
    for (const [at, sentence] of said.slice(0, 3).entries())
      if (said.length > 1 && sentence.length > 30 && sentence.length < 250) add(sentence, `${trail.at(-1)} ${said.toSpliced(at, 1).join(' ')}`);
  }
}

function plain(text: string): string {
  return text
    .replaceAll(/\{@\w+\s+([^}|]*)[^}]*\}/g, ' $1 ')
    .replaceAll(/<[^>]{1,200}>/g, ' ')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/https?:\S+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function sentences(text: string): string[] {
  return text.split(/(?<=[.!?])\s+(?=[A-Z`*])/);
}

/** The pairs of WordNet: words with what they mean, with a wider word, and with each other. `folder` holds its files `data.*`. */
export function pairsOfWordNet(folder: string): Pair[] {
  const sets = new Map<string, { words: string[]; meaning: string; wider: string[] }>();
  for (const [letter, name] of Object.entries({ n: 'noun', v: 'verb', a: 'adj', r: 'adv' })) {
    for (const line of readFileSync(join(folder, `data.${name}`), 'utf8').split('\n')) {
      if (!/^\d{8}/.test(line)) continue;
      const [head = '', gloss = ''] = line.split(' | ');
      const fields = head.split(' ');
      const count = Number.parseInt(fields[3] ?? '', 16);
      const words = Array.from({ length: count }, (_, at) => (fields[4 + 2 * at] ?? '').replaceAll('_', ' ').replace(/\(.*\)/, ''));
      const pointers = 5 + 2 * count;
      const wider: string[] = [];
      for (let at = pointers; at < pointers + 4 * Number(fields[pointers - 1]); at += 4)
        if (fields[at] === '@' || fields[at] === '&') wider.push(`${fields[at + 2]}${fields[at + 1]}`);
      sets.set(`${letter}${fields[0]}`, { words, meaning: gloss.replaceAll(/"[^"]*"/g, ' ').trim(), wider });
    }
  }
  const pairs: Pair[] = [];
  for (const { words, meaning, wider } of sets.values()) {
    pairs.push([words.join(' '), meaning]);
    for (const key of wider.slice(0, 2)) pairs.push([words.join(' '), sets.get(key)?.words.join(' ') ?? '']);
    if (words.length > 1) pairs.push([words[0] ?? '', words.slice(1).join(' ')]);
  }
  return pairs;
}
