// What a thread does for large documents: stores one by a connection of its own.
import { ScriptError } from '../../errors.ts';
import type { Chunk, KnowledgeSettings, PreparedDocument } from '../knowledge.ts';
import { KnowledgeDatabase } from './database.ts';
import { checkVectors, storable, storeDocument } from './documents.ts';

/** A document that is copied to a thread fast: its chunks' texts stand in its text, and its vectors are one. */
export interface PackedDocument extends Omit<PreparedDocument, 'chunks'> {
  readonly chunks: readonly Omit<Chunk, 'text'>[];
  readonly vectors: Float32Array<ArrayBuffer>;
}

/** Makes a document ready for a thread; all its vectors must have `dimensions` numbers. */
export function packDocument({ chunks, ...document }: PreparedDocument, dimensions: number): PackedDocument {
  const vectors = new Float32Array(chunks.length * dimensions);
  for (const [at, { vector }] of chunks.entries()) vectors.set(vector, at * dimensions);
  return { ...document, chunks: chunks.map(({ index, start, stop, headings }) => ({ index, start, stop, headings })), vectors };
}

function unpack({ vectors, chunks, ...document }: PackedDocument, dimensions: number): PreparedDocument {
  const whole = (chunk: Omit<Chunk, 'text'>, at: number) => ({
    ...chunk,
    text: document.text.slice(chunk.start, chunk.stop),
    vector: vectors.subarray(at * dimensions, (at + 1) * dimensions),
  });
  return { ...document, chunks: chunks.map(whole) };
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
