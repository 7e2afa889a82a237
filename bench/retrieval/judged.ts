import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Document, findSection, type Section } from './corpus.ts';

interface Entry {
  readonly source: string;
  readonly heading: string;
  readonly keyword: string;
  readonly question: string;
  readonly paraphrases: readonly string[];
}

export type Kind = 'keyword' | 'question' | 'paraphrase';
/** The parts of the set: the two halves of `queries.json`, and `queries-fresh.json`. */
export type Half = 'tuning' | 'held out' | 'fresh';

/** A query and the section that it was written for. */
export interface Judged {
  readonly query: string;
  readonly kind: Kind;
  readonly half: Half;
  readonly source: string;
  readonly section: Section;
}

/** The judged queries, their sections found in the documents. Throws one sentence that names all sections that are not there. */
export function readJudged(documents: readonly Document[]): Judged[] {
  const entries = [
    ...read('queries.json').map((entry) => ({ ...entry, half: halfOf(entry.heading) })),
    ...read('queries-fresh.json').map((entry) => ({ ...entry, half: 'fresh' as const })),
  ];
  const texts = new Map(documents.map(({ source, text }) => [source, text]));
  const missing: string[] = [];
  const judged = entries.flatMap(({ source, heading, half, keyword, question, paraphrases }) => {
    const section = findSection(texts.get(source) ?? '', heading);
    if (!section) missing.push(`${source} ${heading}`);
    const common = { half, source, section: section as Section };
    return [
      { query: keyword, kind: 'keyword' as const, ...common },
      { query: question, kind: 'question' as const, ...common },
      ...paraphrases.map((query) => ({ query, kind: 'paraphrase' as const, ...common })),
    ];
  });
  if (missing.length > 0)
    throw new Error(`${missing.length} judged sections are not in node_modules (run npm ci; the set belongs to the pinned versions): ${missing.join('; ')}`);
  return judged;
}

function read(name: string): Entry[] {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Entry[];
}

/** Sections of one heading are in one half, whatever document they stand in. */
function halfOf(heading: string): Half {
  return (createHash('sha256').update(heading).digest()[0] as number) % 2 === 0 ? 'tuning' : 'held out';
}

/** Whether a piece of a document shares at least half of itself, or of the section, with the section. */
export function isRelevant(piece: Section, section: Section): boolean {
  const shared = Math.min(piece.stop, section.stop) - Math.max(piece.start, section.start);
  return shared > 0 && 2 * shared >= Math.min(piece.stop - piece.start, section.stop - section.start);
}
