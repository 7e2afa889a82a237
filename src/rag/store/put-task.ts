// What a thread does for large documents: stores one by a connection of its own.
import { ScriptError } from '../../errors.ts';
import type { Chunk, KnowledgeSettings, PreparedDocument } from '../knowledge.ts';
import { KnowledgeDatabase } from './database.ts';
import { checkVectors, storable, storeDocument } from './documents.ts';

/** A document that is copied to a thread fast: its chunks' texts stand in its text, and numbers are together. */
export interface PackedDocument extends Omit<PreparedDocument, 'chunks'> {
  /** Of each chunk: where it starts and stops. */
  readonly places: Uint32Array<ArrayBuffer>;
  readonly headings: readonly Chunk['headings'][] | undefined;
  /** Of `CHUNKS_TOGETHER` chunks each. */
  readonly vectors: readonly Float32Array<ArrayBuffer>[];
}

const CHUNKS_TOGETHER = 64;

/** Makes a document ready for a thread, in steps; all its vectors must have `dimensions` numbers. */
export function* packDocument({ chunks, ...document }: PreparedDocument, dimensions: number): Generator<undefined, PackedDocument> {
  const places = new Uint32Array(2 * chunks.length);
  const vectors: Float32Array<ArrayBuffer>[] = [];
  for (let from = 0; from < chunks.length; from += CHUNKS_TOGETHER) {
    const some = chunks.slice(from, from + CHUNKS_TOGETHER);
    const together = new Float32Array(some.length * dimensions);
    for (const [at, { start, stop, vector }] of some.entries()) {
      places.set([start, stop], 2 * (from + at));
      together.set(vector, at * dimensions);
    }
    vectors.push(together);
    yield;
  }
  const headings = chunks.some((chunk) => chunk.headings) ? chunks.map((chunk) => chunk.headings) : undefined;
  return { ...document, places, headings, vectors };
}

function unpack({ places, headings, vectors, ...document }: PackedDocument, dimensions: number): PreparedDocument {
  const chunks = Array.from({ length: places.length / 2 }, (_, index) => {
    const [start, stop] = places.subarray(2 * index) as unknown as [number, number];
    const at = (index % CHUNKS_TOGETHER) * dimensions;
    const vector = (vectors[Math.floor(index / CHUNKS_TOGETHER)] as Float32Array).subarray(at, at + dimensions);
    return { index, start, stop, text: document.text.slice(start, stop), headings: headings?.[index], vector };
  });
  return { ...document, chunks };
}

/** What the thread is told. */
export interface PutTask {
  /** The tenant's. */
  readonly folder: string;
  readonly durability: 'normal' | 'full';
  readonly base: string;
  readonly document: PackedDocument;
  /** What the document's vectors were made with. */
  readonly settings: KnowledgeSettings;
  readonly now: number;
}

/** Stores a document whole or not at all. Throws as `put` of a base does. */
export async function run({ folder, durability, base, document, settings, now }: PutTask): Promise<'added' | 'replaced' | 'skipped'> {
  const database = new KnowledgeDatabase(folder, durability);
  try {
    const prepared = storable(unpack(document, settings.dimensions), settings);
    return await database.write(() => {
      const row = database.base(base);
      if (!row) throw new ScriptError('CONFLICT', `the knowledge base ${JSON.stringify(base)} was removed meanwhile`);
      checkVectors(base, JSON.parse(row.settings) as KnowledgeSettings, settings);
      return storeDocument(database, row, prepared, now);
    });
  } finally {
    database.close();
  }
}
