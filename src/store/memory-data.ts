import { uncharged } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ArtifactRecord, StoredContent } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import { doneFor, OneAtATime, type Steps } from './in-turns.ts';
import { expiryId } from './memory-values.ts';
import type { SessionRecord, StoredTurn } from './sessions.ts';
import { SortedMap } from './sorted-map.ts';
import type { Charge } from './store.ts';

/** So many artifacts or sessions are looked at between two looks at the clock. */
const STEP = 100;

/** Content, the bytes that it takes, and how many artifacts have it. */
export interface MemoryContent extends StoredContent {
  readonly stored: number;
  uses: number;
}

/** Artifacts, newest first: all, and the highest version of each name. */
interface ArtifactOrder {
  readonly all: SortedMap<ArtifactRecord>;
  readonly latest: SortedMap<ArtifactRecord>;
}

/** An artifact and where it comes in the order of the newest. */
interface Placed {
  readonly place: string;
  readonly record: ArtifactRecord;
}

export interface MemorySession {
  record: SessionRecord;
  /** Where it comes in the order of the newest. */
  readonly place: string;
  turns: StoredTurn[];
  values: SortedMap<Uint8Array>;
  /** Of turns and values. */
  bytes: number;
  readonly artifacts: ArtifactOrder;
  /** Its artifacts in the order in which they were added. */
  readonly byId: Map<string, Placed>;
  /** The versions of each name, lowest first. */
  readonly byName: Map<string, Placed[]>;
  /** Of the contents of its artifacts, bytes. */
  artifactBytes: number;
}

/** Sessions and artifacts of a process that keeps nothing, in the orders in which they are asked for: no call has to walk through all in one turn. */
export class MemoryData {
  readonly sessions = new Map<string, MemorySession>();
  readonly newest = new SortedMap<MemorySession>();
  readonly artifacts = emptyOrder();
  readonly contents = new Map<string, MemoryContent>();
  /** The files that contents are in. */
  readonly placedFiles = new Set<string>();
  /** What turns, values and contents of artifacts take together. */
  bytes = 0;
  readonly totals = { artifacts: 0, bytes: 0 };
  /** Throws LIMIT_EXCEEDED where there is no room for so many bytes more. */
  readonly needRoom: (bytes: number) => void;
  readonly #files: BlobFiles;
  readonly #nobody: Charge = { run: uncharged('memory') };
  /** The ids of sessions that expire, behind their time. */
  readonly #expiring = new SortedMap<string>();
  /** Sessions that are gone, whose artifacts are still among all. */
  readonly #gone: MemorySession[] = [];
  #made = 0;
  readonly #changes = new OneAtATime();

  constructor(files: BlobFiles, needRoom: (bytes: number) => void) {
    this.#files = files;
    this.needRoom = needRoom;
  }

  /** Does it when no change is being made in turns, and lets no other begin until it is done. */
  whenFree<T>(work: () => Soon<T>): Soon<T> {
    return this.#changes.whenFree(work);
  }

  /** As `whenFree`, once what has expired and content that no artifact has are gone. */
  tidied<T>(now: number, work: () => Soon<T>): Soon<T> {
    return this.whenFree(() => whenReady(this.inTurns(this.#tidy(now)), work));
  }

  inTurns<T>(steps: Steps<T>): Soon<T> {
    return doneFor(this.#nobody, steps);
  }

  /** A session that nobody sees before it is `open`ed. */
  draft(record: SessionRecord): MemorySession {
    const place = this.#place(record.created_at);
    return {
      record,
      place,
      turns: [],
      values: new SortedMap(),
      bytes: 0,
      artifacts: emptyOrder(),
      byId: new Map(),
      byName: new Map(),
      artifactBytes: 0,
    };
  }

  open(session: MemorySession): void {
    const { id, expires_at } = session.record;
    this.sessions.set(id, session);
    this.newest.set(session.place, session);
    if (expires_at !== undefined) this.#expiring.set(expiryId(expires_at, id), id);
  }

  /** The session unless it has expired; an expired one is forgotten. */
  live(id: string, now: number): MemorySession | undefined {
    const found = this.sessions.get(id);
    if (found?.record.expires_at === undefined || found.record.expires_at > now) return found;
    this.forget(found);
    return undefined;
  }

  /** Forgets a session; its artifacts go when `tidied` is called next. */
  forget(session: MemorySession): void {
    const { id, expires_at } = session.record;
    this.sessions.delete(id);
    this.newest.delete(session.place);
    if (expires_at !== undefined) this.#expiring.delete(expiryId(expires_at, id));
    this.bytes -= session.bytes;
    this.totals.artifacts -= session.byId.size;
    this.totals.bytes -= session.artifactBytes;
    if (session.byId.size > 0) this.#gone.push(session);
  }

  /** Notes a change of a session. */
  touch(session: MemorySession, now: number): void {
    const { id, expires_in, expires_at: before } = session.record;
    const expires_at = expires_in === undefined ? undefined : now + expires_in;
    session.record = { ...session.record, turns: session.turns.at(-1)?.number ?? 0, updated_at: now, expires_at };
    if (before !== undefined) this.#expiring.delete(expiryId(before, id));
    if (expires_at !== undefined) this.#expiring.set(expiryId(expires_at, id), id);
  }

  /** Adds an artifact, whose content is there and whose version is the highest of its name. */
  addArtifact(session: MemorySession, record: ArtifactRecord): void {
    const placed = { place: this.#place(record.created_at), record };
    const versions = session.byName.get(record.name) ?? [];
    const before = versions.at(-1);
    for (const { all, latest } of [this.artifacts, session.artifacts]) {
      all.set(placed.place, record);
      if (before) latest.delete(before.place);
      latest.set(placed.place, record);
    }
    versions.push(placed);
    session.byName.set(record.name, versions);
    session.byId.set(record.id, placed);
    this.#count(session, 1, record.size);
    (this.contents.get(record.hash) as MemoryContent).uses++;
  }

  /** Removes an artifact, and its content where no other has it; false when it is not there. */
  removeArtifact(session: MemorySession, id: string): boolean {
    const placed = session.byId.get(id);
    if (!placed) return false;
    const { name, hash, size } = placed.record;
    const versions = session.byName.get(name) ?? [];
    versions.splice(versions.indexOf(placed), 1);
    const next = versions.at(-1);
    if (!next) session.byName.delete(name);
    for (const { all, latest } of [this.artifacts, session.artifacts]) {
      all.delete(placed.place);
      if (latest.delete(placed.place) && next) latest.set(next.place, next.record);
    }
    session.byId.delete(id);
    this.#count(session, -1, -size);
    this.#release(hash);
    return true;
  }

  *#tidy(now: number): Steps<void> {
    for (let looked = 1; ; looked++) {
      const first = this.#expiring.from().next().value;
      // Who has not expired is the first that will.
      if (!first || !this.sessions.has(first[1]) || this.live(first[1], now)) break;
      if (looked % STEP === 0) yield;
    }
    let looked = 0;
    for (let session = this.#gone.pop(); session; session = this.#gone.pop()) {
      for (const { place, record } of session.byId.values()) {
        this.artifacts.all.delete(place);
        this.artifacts.latest.delete(place);
        this.#release(record.hash);
        if (++looked % STEP === 0) yield;
      }
    }
  }

  #count(session: MemorySession, count: number, bytes: number): void {
    session.artifactBytes += bytes;
    this.totals.artifacts += count;
    this.totals.bytes += bytes;
  }

  #release(hash: string): void {
    const content = this.contents.get(hash);
    if (!content || --content.uses > 0) return;
    this.contents.delete(hash);
    this.bytes -= content.stored;
    if (content.file === undefined) return;
    this.placedFiles.delete(content.file);
    this.#files.remove(content.file);
  }

  /** Newest first; a later one of the same millisecond comes before. */
  #place(created_at: number): string {
    return descending(created_at) + descending(++this.#made);
  }
}

function emptyOrder(): ArtifactOrder {
  return { all: new SortedMap(), latest: new SortedMap() };
}

function descending(number: number): string {
  return String(Number.MAX_SAFE_INTEGER - Math.floor(Math.max(0, number))).padStart(16, '0');
}
