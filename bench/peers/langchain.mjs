// The same vectors in LangChain's MemoryVectorStore.
import { MemoryVectorStore } from '@langchain/classic/vectorstores/memory';
import { Embeddings } from '@langchain/core/embeddings';

export const version = '@langchain/classic 1.0.50 MemoryVectorStore';

/** Stores everything; `search` gives the places of the nearest. */
export async function open(_folder, { count, vector, text, group }) {
  const store = new MemoryVectorStore(new Embeddings({}));
  const places = Array.from({ length: count }, (_, at) => at);
  const documents = places.map((at) => ({ pageContent: text(at), metadata: { at, part: group(at) } }));
  await store.addVectors(
    places.map((at) => Array.from(vector(at))),
    documents,
  );
  return {
    async search(query, limit, part) {
      const filter = part === undefined ? undefined : (document) => document.metadata.part === part;
      const found = await store.similaritySearchVectorWithScore(Array.from(query), limit, filter);
      return found.map(([document]) => document.metadata.at);
    },
    close: () => undefined,
  };
}
