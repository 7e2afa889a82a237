import type { Format } from './open.ts';

const STATE = `
  CREATE TABLE state (scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID;
  CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`;

/**
 * Sessions own turns, values and artifacts, which go with them. An artifact names its content by hash; content that no artifact names any more
 * goes by trigger, and the name of its file stays in dropped_files until the file is gone, so that a crash in between loses track of nothing.
 */
const SESSIONS = `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, name TEXT, description TEXT, status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'completed')),
    tags TEXT NOT NULL, metadata BLOB NOT NULL, forked_from TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, saved_at INTEGER,
    expires_in INTEGER, expires_at INTEGER) STRICT;
  CREATE INDEX sessions_made ON sessions (created_at);
  CREATE INDEX sessions_expiry ON sessions (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE turns (
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, number INTEGER NOT NULL, turn BLOB NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, number)) STRICT, WITHOUT ROWID;
  CREATE TABLE session_values (
    session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (session_id, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE blobs (hash TEXT PRIMARY KEY, size INTEGER NOT NULL, encoding TEXT NOT NULL, stored INTEGER NOT NULL, data BLOB, file TEXT UNIQUE) STRICT;
  CREATE TABLE artifacts (
    id TEXT PRIMARY KEY, session_id TEXT NOT NULL REFERENCES sessions ON DELETE CASCADE, name TEXT NOT NULL, version INTEGER NOT NULL,
    type TEXT NOT NULL, hash TEXT NOT NULL REFERENCES blobs (hash), size INTEGER NOT NULL, metadata BLOB NOT NULL, created_at INTEGER NOT NULL,
    UNIQUE (session_id, name, version)) STRICT;
  CREATE INDEX artifacts_hash ON artifacts (hash);
  CREATE INDEX artifacts_made ON artifacts (created_at);
  CREATE TABLE dropped_files (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO totals VALUES ('sessions', 0), ('artifacts', 0), ('artifact_bytes', 0), ('file_bytes', 0);
  CREATE TRIGGER session_added AFTER INSERT ON sessions BEGIN UPDATE totals SET value = value + 1 WHERE name = 'sessions'; END;
  CREATE TRIGGER session_removed AFTER DELETE ON sessions BEGIN UPDATE totals SET value = value - 1 WHERE name = 'sessions'; END;
  CREATE TRIGGER artifact_added AFTER INSERT ON artifacts BEGIN
    UPDATE totals SET value = value + 1 WHERE name = 'artifacts';
    UPDATE totals SET value = value + NEW.size WHERE name = 'artifact_bytes';
  END;
  CREATE TRIGGER artifact_removed AFTER DELETE ON artifacts BEGIN
    UPDATE totals SET value = value - 1 WHERE name = 'artifacts';
    UPDATE totals SET value = value - OLD.size WHERE name = 'artifact_bytes';
    DELETE FROM blobs WHERE hash = OLD.hash AND NOT EXISTS (SELECT 1 FROM artifacts WHERE hash = OLD.hash);
  END;
  CREATE TRIGGER blob_added AFTER INSERT ON blobs WHEN NEW.file IS NOT NULL BEGIN UPDATE totals SET value = value + NEW.stored WHERE name = 'file_bytes'; END;
  CREATE TRIGGER blob_removed AFTER DELETE ON blobs WHEN OLD.file IS NOT NULL BEGIN
    UPDATE totals SET value = value - OLD.stored WHERE name = 'file_bytes';
    INSERT INTO dropped_files VALUES (OLD.file);
  END;`;

/** `state.db`; each step is a version of the format that some data folder may have. */
export const STATE_FORMAT: Format = { steps: [STATE, SESSIONS] };
