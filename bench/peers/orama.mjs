// The same vectors in Orama, in memory.
import { create, insert, searchVector } from '@orama/orama';

export const version = '@orama/orama 3.1.18';

/** Stores everything; `search` gives the places of the nearest. */
export async function open(_folder, { count, dimensions, vector, text, group }) {
  const db = create({ schema: { text: 'string', part: 'number', embedding: `vector[${dimensions}]` } });
  for (let at = 0; at < count; at++) await insert(db, { id: String(at), text: text(at), part: group(at), embedding: Array.from(vector(at)) });
  return {
    async search(query, limit, part) {
      // Without a bound of its own it leaves out what is less similar than 0.8.
      const wanted = { mode: 'vector', vector: { value: Array.from(query), property: 'embedding' }, similarity: -1, limit };
      const { hits } = await searchVector(db, part === undefined ? wanted : { ...wanted, where: { part: { eq: part } } });
      return hits.map((hit) => Number(hit.id));
    },
    close: () => undefined,
  };
}
