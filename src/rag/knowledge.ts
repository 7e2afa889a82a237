import type { Soon } from '../call/soon.ts';
import type { ValueMap } from '../call/value.ts';
import type { ChunkOptions } from './schemas.ts';

/** A piece of a document: its text stands at [start, stop) of the document's text, in UTF-16 code units. */
export interface Chunk {
  /** From 0 within its document. */
  readonly index: number;
  readonly text: string;
  readonly start: number;
  readonly stop: number;
  /** The headings it stands under, outermost first. */
  readonly headings?: readonly string[] | undefined;
}

/** How the vectors of a knowledge base are made and compared; fixed at its first ingest. */
export interface KnowledgeSettings {
  /** The embedding model, `local/words`, `local/hash` or `provider/model`. */
  readonly embedder: string;
  readonly dimensions: number;
  readonly metric: 'cosine' | 'dot' | 'l2';
  readonly backend: 'hnsw' | 'flat';
  readonly m: number;
  readonly ef_construction: number;
  readonly ef_search: number;
  /** How documents are chunked where an ingest says nothing; the latest set-up's. */
  readonly chunking?: ChunkOptions | undefined;
}

/** A document that is ready to be stored: chunked and embedded. */
export interface PreparedDocument {
  /** The script's `document_id`; a new version replaces the old one. */
  readonly id: string;
  /** SHA-256 of content, metadata and chunking, hex: the same again is skipped. */
  readonly hash: string;
  /** Where it came from: a path as the script gave it, or an address. */
  readonly source?: string | undefined;
  readonly format: string;
  readonly metadata: ValueMap;
  /** The whole text, which offsets of chunks point into. */
  readonly text: string;
  readonly chunks: readonly (Chunk & { readonly vector: Float32Array })[];
}

export interface DocumentInfo {
  readonly id: string;
  readonly hash: string;
  readonly source: string | undefined;
  readonly format: string;
  readonly metadata: ValueMap;
  /** From 1, one more at each replacement. */
  readonly version: number;
  readonly chunks: number;
  /** Of the text, in bytes of UTF-8. */
  readonly size: number;
  /** ms since 1970. */
  readonly created_at: number;
  readonly updated_at: number;
}

/** A filter over metadata: equality, or the operators $gt $gte $lt $lte $ne $in $nin $exists $and $or $not. */
export type Filter = ValueMap;

export interface Search {
  readonly mode: 'hybrid' | 'vector' | 'keyword';
  /** The words of the query, for keyword and hybrid. */
  readonly text: string;
  /** The query's embedding, for vector and hybrid. */
  readonly vector?: Float32Array | undefined;
  readonly filter?: Filter | undefined;
  /** Most hits. */
  readonly limit: number;
}

/** A chunk that was found. `score` orders the hits of one search; `similarity` is cosine (or the metric's own) and absent where no vector was compared. */
export interface Hit {
  readonly chunk: Chunk;
  readonly document: Pick<DocumentInfo, 'id' | 'source' | 'format' | 'metadata' | 'version'>;
  readonly score: number;
  readonly similarity: number | undefined;
  /** 1-based places in the two rankings that were fused. */
  readonly ranks: { readonly vector?: number | undefined; readonly keyword?: number | undefined };
}

export interface KnowledgeStats {
  readonly document_count: number;
  readonly chunk_count: number;
  readonly vector_count: number;
  readonly storage_size_bytes: number;
  readonly index: {
    readonly kind: 'hnsw' | 'flat';
    /** `stored` is one that the first search of this process will open. */
    readonly state: 'ready' | 'building' | 'stored' | 'absent';
    readonly entries: number;
    /** Measured when the index was made, with vectors it had not seen; absent where search is exact. */
    readonly recall?: number | undefined;
  };
}

export type BuildProgress = (done: number, total: number) => void;

/** One knowledge base of one tenant: documents, chunks, full text and vectors, which always agree. */
export interface KnowledgeBase {
  readonly name: string;
  /** Undefined until the first ingest. */
  readonly settings: KnowledgeSettings | undefined;
  /** Fixes the settings, or throws CONFLICT naming both embedders or metrics and the way to rebuild. */
  configure(settings: KnowledgeSettings): Soon<void>;
  /** Stores one document whole or not at all, in place of its older version; `skipped` when the hash is the stored one. Throws BAD_ARGUMENT for zero, mismatched or non-finite vectors. */
  put(document: PreparedDocument, now: number): Soon<'added' | 'replaced' | 'skipped'>;
  get(id: string): DocumentInfo | undefined;
  /** The stored text of a document. */
  text(id: string): string | undefined;
  list(options: { after?: string | undefined; limit?: number | undefined; filter?: Filter | undefined }): DocumentInfo[];
  /** Removes documents and says how many there were. */
  remove(which: { ids: readonly string[] } | { filter: Filter }): Soon<number>;
  search(search: Search): Promise<Hit[]>;
  /** The chunks of a document from index `from` to `to`, both included. */
  chunks(id: string, from: number, to: number): Chunk[];
  stats(): KnowledgeStats;
  /** Makes the index anew off the main thread while exact search answers. Throws NOT_FOUND where it needs the optional package usearch and that is missing. */
  rebuild(onProgress?: BuildProgress, signal?: AbortSignal): Promise<void>;
  /** Compares documents, chunks, full text, vectors and index with each other: what does not agree, one sentence each. */
  verify(): Promise<string[]>;
}

/** What all bases of a tenant hold together, their indexes included. */
export interface KnowledgeTotals {
  readonly documents: number;
  readonly bytes: number;
}

/** The knowledge of all tenants, opened at first use. */
export interface Knowledge {
  /** A tenant's base of a name; use it at once and ask again for the next call. With `reading` a tenant that has nothing yet stays so, and its base is an empty one. */
  base(tenant: string, name: string, options?: { readonly reading?: boolean }): KnowledgeBase;
  bases(tenant: string): string[];
  totals(tenant: string): KnowledgeTotals;
  /** Closes a tenant's database, so that its folder can be deleted. */
  release(tenant: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
