import { breathe } from '../call/breath.ts';
import { decodeSoon, encodeSoon } from '../call/codec.ts';
import type { Cpu } from '../call/cpu.ts';
import { createHash } from '../call/digest.ts';
import { hashed } from '../call/hashing.ts';
import { type BackupEntry, bodyStart } from './backup-format.ts';
import { type BackupHead, type BackupNote, type Backups, type Charge, newRevision, type StoredEntry } from './store.ts';

/** Everything that a store in memory holds. */
export interface MemoryState {
  readonly scopes: Map<string, Map<string, StoredEntry>>;
  readonly meta: Map<string, string>;
}

/** What backups are made of and restored to. */
export interface Restorable {
  /** A copy, which nobody changes. */
  copy(): MemoryState;
  /** Puts another state in the place of the present one, and gives that. */
  exchange(state: MemoryState): MemoryState;
}

interface Kept {
  readonly head: BackupHead;
  readonly sha256: string;
  readonly body: Buffer;
}

/** Backups of a process that keeps nothing. */
export function memoryBackups(store: Restorable, nobody: Charge): Backups {
  const all = new Map<string, Kept>();

  async function keep({ run: { cpu } }: Charge, note: BackupNote, state: MemoryState): Promise<void> {
    const entries = await liveEntries(cpu, state, note.created_at);
    const pieces: Uint8Array[] = [bodyStart(Object.fromEntries(state.meta), entries.length)];
    for (const entry of entries) {
      await breathe(cpu);
      pieces.push(await encodeSoon(cpu, entry));
    }
    const body = await joined(cpu, pieces);
    all.set(note.id, { head: { ...note, size_bytes: body.length, entries: entries.length }, sha256: await hashOf(cpu, body), body });
  }

  async function holds({ run: { cpu } }: Charge, id: string): Promise<Kept | false | undefined> {
    const kept = all.get(id);
    return kept && (await hashOf(cpu, kept.body)) === kept.sha256 && kept;
  }

  return {
    make: (note, charge = nobody) => keep(charge, note, store.copy()),
    check: async (id, charge = nobody) => (await holds(charge, id)) && true,
    async restore(id, before, charge = nobody) {
      const kept = await holds(charge, id);
      if (!kept) return kept;
      const state = await stateOf(charge.run.cpu, kept.body);
      await keep(charge, before, store.exchange(state));
      return true;
    },
    heads: () => [...all.values()].map(({ head }) => head),
    remove: (id) => all.delete(id),
  };
}

async function liveEntries(cpu: Cpu, { scopes }: MemoryState, now: number): Promise<BackupEntry[]> {
  const entries: BackupEntry[] = [];
  for (const [scope, map] of scopes) {
    for (const [key, { value, expiresAt }] of map) {
      await breathe(cpu);
      if (expiresAt === undefined || expiresAt > now) entries.push([scope, key, value, expiresAt ?? null]);
    }
  }
  return entries;
}

async function stateOf(cpu: Cpu, body: Uint8Array): Promise<MemoryState> {
  const { entries, meta } = (await decodeSoon(cpu, body)) as { entries: BackupEntry[]; meta: Record<string, string> };
  const scopes: MemoryState['scopes'] = new Map();
  for (const [scope, key, value, expiresAt] of entries) {
    await breathe(cpu);
    const map = scopes.get(scope) ?? new Map<string, StoredEntry>();
    scopes.set(scope, map.set(key, { value, revision: newRevision(), expiresAt: expiresAt ?? undefined }));
  }
  return { scopes, meta: new Map(Object.entries(meta)) };
}

async function joined(cpu: Cpu, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    await breathe(cpu);
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function hashOf(cpu: Cpu, bytes: Uint8Array): Promise<string> {
  return (await hashed(cpu, createHash('sha256'), bytes)).digest('hex');
}
