import type { Format } from '../../store/open.ts';

/** `knowledge.db`. Every base has tables of its own, so that one base's words never shape another's ranking. */
export const KNOWLEDGE_FORMAT: Format = {
  pageSize: 8_192,
  steps: [
    `
  CREATE TABLE bases (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, settings TEXT NOT NULL, snapshot TEXT,
    next INTEGER NOT NULL DEFAULT 1, seq INTEGER NOT NULL DEFAULT 0, trimmed INTEGER NOT NULL DEFAULT 0,
    documents INTEGER NOT NULL DEFAULT 0, chunks INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE log (
    base INTEGER NOT NULL, seq INTEGER NOT NULL, added INTEGER NOT NULL, added_count INTEGER NOT NULL, removed INTEGER NOT NULL, removed_count INTEGER NOT NULL,
    PRIMARY KEY (base, seq)
  ) STRICT, WITHOUT ROWID`,
    // Triggers keep the totals within the transaction of every write, whoever writes.
    `
  ALTER TABLE bases ADD COLUMN index_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE bases SET index_bytes = coalesce(snapshot ->> '$.size', 0) WHERE json_valid(snapshot);
  CREATE TABLE totals (documents INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO totals SELECT coalesce(sum(documents), 0), coalesce(sum(bytes + index_bytes), 0) FROM bases;
  CREATE TRIGGER base_added AFTER INSERT ON bases BEGIN
    UPDATE totals SET documents = documents + new.documents, bytes = bytes + new.bytes + new.index_bytes;
  END;
  CREATE TRIGGER base_changed AFTER UPDATE OF documents, bytes, index_bytes ON bases BEGIN
    UPDATE totals SET documents = documents + new.documents - old.documents, bytes = bytes + new.bytes - old.bytes + new.index_bytes - old.index_bytes;
  END`,
  ],
};

/** The tables of one base. Chunks of a document have neighbouring numbers; a number is never given twice. */
export function baseTables(n: number): string {
  return `
  CREATE TABLE documents_${n} (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, source TEXT, format TEXT NOT NULL, metadata BLOB NOT NULL,
    version INTEGER NOT NULL, size INTEGER NOT NULL, bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    first INTEGER NOT NULL, count INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE texts_${n} (document INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE chunks_${n} (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, text TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, headings TEXT
  ) STRICT;
  CREATE TABLE vectors_${n} (id INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
  CREATE TABLE fields_${n} (path TEXT NOT NULL, type INTEGER NOT NULL, value ANY NOT NULL, document INTEGER NOT NULL, PRIMARY KEY (path, type, value, document)) STRICT, WITHOUT ROWID;
  CREATE INDEX fields_document_${n} ON fields_${n} (document, path);
  CREATE VIEW words_${n} AS SELECT c.id AS id, searchable(c.text) AS text, searchable(c.headings) AS headings, searchable(d.source) AS source
    FROM chunks_${n} c JOIN documents_${n} d ON d.id = c.document;
  CREATE VIRTUAL TABLE text_${n} USING fts5(text, headings, source, content='words_${n}', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2');
  INSERT INTO text_${n}(text_${n}, rank) VALUES('secure-delete', 1)`;
}

/** A base's row. */
export interface BaseRow {
  readonly id: number;
  readonly name: string;
  readonly settings: string;
  readonly snapshot: string | null;
  /** The number of the next chunk. */
  readonly next: number;
  /** Of the last entry of the log, and up to which it was trimmed. */
  readonly seq: number;
  readonly trimmed: number;
  readonly documents: number;
  readonly chunks: number;
  readonly bytes: number;
  /** Of the index file that the snapshot names. */
  readonly index_bytes: number;
}

export interface DocumentRow {
  readonly id: number;
  readonly name: string;
  readonly hash: string;
  readonly source: string | null;
  readonly format: string;
  readonly metadata: Uint8Array;
  readonly version: number;
  readonly size: number;
  readonly bytes: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly first: number;
  readonly count: number;
}

export interface ChunkRow {
  readonly id: number;
  readonly document: number;
  readonly text: string;
  readonly start: number;
  readonly stop: number;
  readonly headings: string | null;
}

export interface LogRow {
  readonly seq: number;
  readonly added: number;
  readonly added_count: number;
  readonly removed: number;
  readonly removed_count: number;
}
