import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { BACKUP_FORMAT } from '../store/backup-format.ts';
import type { BackupFault, BackupHead, BackupNote } from '../store/store.ts';
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

/** What is said of a backup that cannot be restored. */
const FAULTS: Readonly<Record<BackupFault, string>> = {
  checksum: 'is damaged (its checksum does not hold)',
  form: 'is damaged (its content is not that of a backup)',
  newer: `was made by a newer llmspell (this one knows format ${BACKUP_FORMAT}): update llmspell`,
};

const ID = /^bak_[0-9]{13}_[0-9a-f]{8}$/;

/** Copies all values of the tenant at one moment; gives the backup's id. */
export function backup(context: Context, description?: string): Soon<string> {
  refuseInTransaction(context);
  const note = noteOf(context, description);
  return whenReady(storeOf(context).backups.make(note, context), () => note.id);
}

/** Newest first; damaged ones are left out. */
export function listBackups(context: Context): Soon<BackupInfo[]> {
  return whenReady(storeOf(context).backups.heads(context), (heads) =>
    heads
      .filter(({ id }) => ID.test(id))
      .sort((a, b) => (a.id < b.id ? 1 : -1))
      .map(({ id, description, created_at, size_bytes, entries }: BackupHead) => ({ id, description, created_at, size_bytes, entries })),
  );
}

/** Replaces all values by those of a backup at once, when it has made a backup of what was there until then; gives the id of that. */
export function restore(context: Context, id: string): Soon<string> {
  refuseInTransaction(context);
  const before = noteOf(context, `before the restore of ${id}`);
  return whenReady(ID.test(id) ? storeOf(context).backups.restore(id, before, context) : undefined, (whole) => {
    if (whole === undefined) throw noBackup(context, id);
    if (whole !== true) throw new ScriptError('STORE_FAILED', `${context.method}: the backup ${id} ${FAULTS[whole]}; nothing was changed`);
    return before.id;
  });
}

/** Whether it is whole and can be restored. Throws NOT_FOUND when there is none, STORE_FAILED when a newer llmspell made it, of which this one cannot know. */
export function validateBackup(context: Context, id: string): Soon<boolean> {
  return whenReady(ID.test(id) ? storeOf(context).backups.check(id, context) : undefined, (whole) => {
    if (whole === undefined) throw noBackup(context, id);
    if (whole === 'newer') throw new ScriptError('STORE_FAILED', `${context.method}: the backup ${id} ${FAULTS.newer}`);
    return whole === true;
  });
}

/** Whether there was such a backup. */
export function deleteBackup(context: Context, id: string): boolean {
  return ID.test(id) && storeOf(context).backups.remove(id);
}

function noteOf({ run }: Context, description: string | undefined): BackupNote {
  const created_at = run.now();
  const random = Math.floor(Math.random() * 2 ** 32);
  return { id: `bak_${String(created_at).padStart(13, '0')}_${random.toString(16).padStart(8, '0')}`, description, created_at };
}

function noBackup({ method }: Context, id: string): ScriptError {
  return new ScriptError('NOT_FOUND', `${method}: there is no backup ${JSON.stringify(id.slice(0, 60))}`);
}
