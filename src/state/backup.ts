import { decode, encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { sha256 } from '../call/digest.ts';
import type { Soon } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import type { StoreDump } from '../store/store.ts';
import { refuseInTransaction, storeOf } from './state.ts';

/** What is known of a backup without reading its values. */
export type BackupInfo = {
  id: string;
  description?: string | undefined;
  /** ms since 1970. */
  created_at: number;
  size_bytes: number;
  entries: number;
};

const FORMAT = 'llmspell-backup-1';
const ID = /^bak_[0-9]{13}_[0-9a-f]{8}$/;

/** A file: one line of JSON that describes it, then the values as CBOR, whose SHA-256 the line names. */
interface Header extends BackupInfo {
  readonly format: string;
  readonly sha256: string;
}

/** Copies all values of the tenant at one moment; gives the backup's id. */
export async function backup(context: Context, description?: string): Promise<string> {
  refuseInTransaction(context);
  const { run } = context;
  const created_at = run.now();
  const dump = await storeOf(context).dump(created_at);
  const body = encode({
    meta: { ...dump.meta },
    entries: dump.entries.map(({ scope, key, value, expiresAt }): Value => [scope, key, value, expiresAt ?? null]),
  });
  const id = `bak_${String(created_at).padStart(13, '0')}_${Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`;
  const header: Header = { format: FORMAT, id, description, created_at, size_bytes: body.length, entries: dump.entries.length, sha256: sha256(body) };
  storeOf(context).backups.write(id, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]));
  return id;
}

/** Newest first; damaged ones are left out. */
export function listBackups(context: Context): BackupInfo[] {
  const { backups } = storeOf(context);
  return backups
    .ids()
    .filter((id) => ID.test(id))
    .sort()
    .reverse()
    .flatMap((id) => {
      const header = readHeader(backups.read(id));
      if (!header) return [];
      const { description, created_at, size_bytes, entries } = header.header;
      return [{ id, description, created_at, size_bytes, entries }];
    });
}

/** Replaces all values by those of a backup in one transaction; first makes a backup of what was there and gives its id. */
export async function restore(context: Context, id: string): Promise<string> {
  refuseInTransaction(context);
  const dump = readDump(context, id);
  const before = await backup(context, `before the restore of ${id}`);
  await storeOf(context).replace(dump);
  return before;
}

/** Whether the file is whole and its checksum holds. Throws NOT_FOUND when there is none. */
export function validateBackup(context: Context, id: string): boolean {
  try {
    readDump(context, id);
    return true;
  } catch (error) {
    if (error instanceof ScriptError && error.code === 'STORE_FAILED') return false;
    throw error;
  }
}

/** Whether there was such a backup. */
export function deleteBackup(context: Context, id: string): Soon<boolean> {
  return ID.test(id) && storeOf(context).backups.remove(id);
}

function readDump(context: Context, id: string): StoreDump {
  const bytes = ID.test(id) ? storeOf(context).backups.read(id) : undefined;
  if (!bytes) throw new ScriptError('NOT_FOUND', `${context.method}: there is no backup ${JSON.stringify(id.slice(0, 60))}`);
  const found = readHeader(bytes);
  if (!found || sha256(found.body) !== found.header.sha256)
    throw new ScriptError('STORE_FAILED', `${context.method}: the backup ${id} is damaged (its checksum does not hold); nothing was changed`);
  const { entries, meta } = decode(found.body) as { entries: [string, string, Uint8Array, number | null][]; meta: Record<string, string> };
  return { entries: entries.map(([scope, key, value, expiresAt]) => ({ scope, key, value, expiresAt: expiresAt ?? undefined })), meta };
}

function readHeader(bytes: Uint8Array | undefined): { header: Header; body: Uint8Array } | undefined {
  const end = bytes?.indexOf(10) ?? -1;
  if (!bytes || end < 0) return undefined;
  try {
    const header = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8')) as Header;
    return header.format === FORMAT ? { header, body: bytes.subarray(end + 1) } : undefined;
  } catch {
    return undefined;
  }
}
