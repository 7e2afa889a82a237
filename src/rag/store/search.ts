import type { Graph } from '../../vector/hnsw.ts';
import { comparable, floatsOf } from '../../vector/rows.ts';
import { Top } from '../../vector/top.ts';
import { type Found, scoreOf } from '../../vector/vector.ts';
import type { Filter, KnowledgeSettings } from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import { type Condition, compileFilter } from './filter.ts';
import type { GraphIndex, OpenGraph } from './graph.ts';
import { gatherSearch, type Rows, streamSearch, vectorsOf } from './rows.ts';
import type { BaseRow } from './schema.ts';
import { matchExpression, searchedTerms } from './words.ts';

/** Candidates that are fetched from the index beyond which exact search is cheaper. */
const MOST_FETCHED = 8_192;

/** The share of a large base's chunks that makes a term common: scoring all that have one would hold the event loop. */
const COMMON_SHARE = 0.1;
/** The newest so many chunks that have common terms are scored. */
const MOST_SCORED = 10_000;

/** What a search of one base works with. */
export interface Ground {
  readonly database: KnowledgeDatabase;
  readonly base: BaseRow;
  readonly settings: KnowledgeSettings;
  readonly index: GraphIndex;
  /** All vectors, and those behind the index. */
  readonly all: Rows;
  readonly behind: Rows;
  /** A filter's hits are gathered and scored exactly up to so many; so many vectors are searched exactly; a base of more chunks is large. */
  readonly exactLimit: number;
  /** Bytes of vectors that may be kept in memory. */
  readonly memoryLimit: number;
}

/** The nearest chunks to a vector among those that a filter selects, best first. */
export async function nearestChunks(ground: Ground, vector: Float32Array, limit: number, filter: Filter | undefined): Promise<Found[]> {
  const { base, settings } = ground;
  const query = comparable(vector, settings.dimensions, settings.metric, 'vector');
  const open = await ground.index.usable(base, settings);
  if (!filter || Object.keys(filter).length === 0) return (open && (await approximate(ground, open, query, limit))) ?? exact(ground, query, limit);
  const hits = filtered(ground, compileFilter(filter, base.id, 'set'), ground.exactLimit);
  if (hits) return among(ground, open, query, limit, hits);
  const found = open && (await approximate(ground, open, query, limit, compileFilter(filter, base.id, 'each')));
  if (found) return found;
  return among(ground, open, query, limit, filtered(ground, compileFilter(filter, base.id, 'set')) ?? []);
}

/** The chunks with the words of a text among those that a filter selects, best first by BM25. */
export function keywordChunks(ground: Ground, text: string, limit: number, filter: Filter | undefined): Found[] {
  const { database, base } = ground;
  const terms = searchedTerms(text);
  if (terms.length === 0) return [];
  if (!filter || Object.keys(filter).length === 0) return wordedByRarity(ground, terms, limit);
  const match = matchExpression(terms);
  const hits = filtered(ground, compileFilter(filter, base.id, 'set'), ground.exactLimit);
  if (hits) return worded(ground, match, limit, hits);
  // So many hits are a good part of all: among a few times as many best ones there are enough of them.
  const condition = compileFilter(filter, base.id, 'each');
  for (let fetch = 4 * limit; ; fetch *= 8) {
    const best = worded(ground, match, fetch);
    const fitting = matching(database, base.id, best, condition);
    if (fitting.length >= limit || best.length < fetch) return fitting.slice(0, limit);
  }
}

/**
 * The best by the terms that few chunks have. Where these find too few, or there are none, chunks with common terms join them: those of the newest
 * that have all terms, then those that have any.
 */
function wordedByRarity(ground: Ground, terms: readonly string[], limit: number): Found[] {
  const { database, base, exactLimit } = ground;
  const { id: n, chunks } = base;
  const any = matchExpression(terms);
  if (chunks <= exactLimit) return worded(ground, any, limit);
  const sql = `SELECT rowid AS id FROM text_${n} WHERE text_${n} MATCH ? LIMIT 1 OFFSET ?`;
  const rare = terms.filter((term) => database.one(sql, matchExpression([term]), Math.floor(chunks * COMMON_SHARE)) === undefined);
  const best = rare.length > 0 ? worded(ground, matchExpression(rare), limit) : newestWorded(ground, matchExpression(terms, 'AND'), limit);
  if (best.length >= limit || rare.length === terms.length) return best;
  const known = new Set(best.map(({ key }) => key));
  const more = newestWorded(ground, any, limit).filter(({ key }) => !known.has(key));
  return [...best, ...more].sort((a, b) => b.score - a.score || a.key - b.key).slice(0, limit);
}

/** The best of the newest chunks that match. */
function newestWorded({ database, base: { id: n } }: Ground, match: string, limit: number): Found[] {
  return database.all<Found>(
    `SELECT key, score FROM (SELECT rowid AS key, -bm25(text_${n}, 1.0, 0.5, 0.5) AS score FROM text_${n} WHERE text_${n} MATCH ? ORDER BY rowid DESC LIMIT ${MOST_SCORED})
     ORDER BY score DESC, key LIMIT ?`,
    match,
    limit,
  );
}

function worded({ database, base: { id: n } }: Ground, match: string, limit: number, among?: readonly number[]): Found[] {
  // The plus keeps SQLite from asking the full text once for each number.
  const only = among ? ' AND +rowid IN (SELECT value FROM json_each(?))' : '';
  return database.all<Found>(
    `SELECT rowid AS key, -bm25(text_${n}, 1.0, 0.5, 0.5) AS score FROM text_${n} WHERE text_${n} MATCH ?${only} ORDER BY score DESC, rowid LIMIT ?`,
    match,
    ...(among ? [JSON.stringify(among)] : []),
    limit,
  );
}

/** The exact scores of some chunks, the best first. */
export function scoresOf({ database, base, settings }: Ground, vector: Float32Array, ids: readonly number[]): Found[] {
  const query = comparable(vector, settings.dimensions, settings.metric, 'vector');
  const top = new Top(ids.length);
  for (const row of vectorsOf(database, base.id, ids)) top.add(row.id, scoreOf(settings.metric, query, floatsOf(row.vector)));
  return top.found();
}

/** The numbers of the chunks that a condition selects, undefined when they are more than `most`. */
function filtered({ database, base }: Ground, condition: Condition, most = Number.POSITIVE_INFINITY): number[] | undefined {
  const rows = database.all<{ first: number; count: number }>(
    `SELECT first, count FROM documents_${base.id} d WHERE ${condition.sql} AND count > 0 LIMIT ?`,
    ...condition.values,
    Number.isFinite(most) ? most + 1 : -1,
  );
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  if (total > most) return undefined;
  const ids: number[] = [];
  for (const { first, count } of rows) for (let at = 0; at < count; at++) ids.push(first + at);
  return ids;
}

async function exact(ground: Ground, query: Float32Array, limit: number): Promise<Found[]> {
  const { database, base, settings } = ground;
  if (!fitsMemory(ground)) return streamSearch(database, base.id, settings, query, limit);
  return (await ground.all.matrix(base, settings, 0)).search(query, limit);
}

async function among(ground: Ground, open: OpenGraph | undefined, query: Float32Array, limit: number, ids: readonly number[]): Promise<Found[]> {
  const { database, base, settings } = ground;
  // Where an index answers the others, the vectors are not in memory.
  if (open || !fitsMemory(ground)) return gatherSearch(database, base.id, settings, query, limit, ids);
  return (await ground.all.matrix(base, settings, 0)).searchAmong(query, limit, ids);
}

function fitsMemory({ base, settings, memoryLimit }: Ground): boolean {
  return 4 * settings.dimensions * base.chunks <= memoryLimit;
}

/**
 * Candidates of the index that still exist and fit, scored exactly, and all vectors that came after it.
 * Fetches more until there are enough; undefined where that would take more than exact search.
 */
async function approximate(
  ground: Ground,
  { graph, snapshot }: OpenGraph,
  query: Float32Array,
  limit: number,
  condition?: Condition,
): Promise<Found[] | undefined> {
  const { database, base, settings } = ground;
  const behind = await ground.behind.matrix(base, settings, snapshot.last);
  const least = Math.min(limit, base.chunks - behind.count);
  const fitting = (found: readonly Found[]) => (condition ? matching(database, base.id, found, condition) : found);
  const top = new Top(limit);
  for (let fetch = Math.max(4 * limit, snapshot.fetch ?? 128); ; fetch *= 4) {
    const scored = scoresIn(ground, graph, query, fitting(graph.search(query, fetch)), limit);
    if (scored.length >= least || fetch >= graph.count) {
      for (const { key, score } of scored) top.add(key, score);
      break;
    }
    if (fetch >= MOST_FETCHED) return undefined;
  }
  for (let fetch = condition ? 4 * limit : limit; behind.count > 0; fetch *= 4) {
    const fit = fitting(await behind.search(query, fetch));
    if (fit.length < limit && fetch < behind.count) continue;
    for (const { key, score } of fit) top.add(key, score);
    break;
  }
  return top.found();
}

/** The exact scores of the best candidates that still exist: of so many, and of those behind them that rounding may have put there. */
function scoresIn({ database, base, settings }: Ground, graph: Graph, query: Float32Array, candidates: readonly Found[], limit: number): Found[] {
  const found: Found[] = [];
  for (let from = 0; from < candidates.length && found.length < limit; ) {
    let to = Math.min(candidates.length, from + limit - found.length);
    const { score } = candidates[to - 1] as Found;
    const least = score - 2 * graph.rounding(score);
    while (to < candidates.length && (candidates[to] as Found).score >= least) to++;
    const ids = candidates.slice(from, to).map(({ key }) => key);
    for (const row of vectorsOf(database, base.id, ids)) found.push({ key: row.id, score: scoreOf(settings.metric, query, floatsOf(row.vector)) });
    from = to;
  }
  return found;
}

/** Those of what was found whose document fits, in their order. */
function matching(database: KnowledgeDatabase, n: number, found: readonly Found[], condition: Condition): Found[] {
  const rows = database.all<{ id: number }>(
    `SELECT c.id FROM chunks_${n} c JOIN documents_${n} d ON d.id = c.document WHERE c.id IN (SELECT value FROM json_each(?)) AND ${condition.sql}`,
    JSON.stringify(found.map(({ key }) => key)),
    ...condition.values,
  );
  const fitting = new Set(rows.map((row) => row.id));
  return found.filter(({ key }) => fitting.has(key));
}
