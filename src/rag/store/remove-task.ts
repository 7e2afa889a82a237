// What a thread does where much is removed: removes documents by a connection of its own.
import { KnowledgeDatabase } from './database.ts';
import { removeDocuments } from './documents.ts';

/** What the thread is told. */
export interface RemoveTask {
  /** The tenant's. */
  readonly folder: string;
  readonly durability: 'normal' | 'full';
  readonly base: string;
  readonly names: readonly string[];
}

/** Removes all documents or none, and says how many there were. */
export async function run({ folder, durability, base, names }: RemoveTask): Promise<number> {
  const database = new KnowledgeDatabase(folder, durability);
  try {
    return await database.write(() => removeDocuments(database, base, names));
  } finally {
    database.close();
  }
}
