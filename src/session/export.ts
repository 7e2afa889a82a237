import { type ArtifactInfo, listArtifacts } from '../artifact/artifact.ts';
import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ValueMap } from '../call/value.ts';
import { refusal } from './refusal.ts';
import { getSession, type SessionInfo } from './session.ts';
import { getTurns, getValues, type NumberedTurn } from './turns.ts';

/** Everything of a session as data; of artifacts what is known of them, without their content. */
export type SessionExport = {
  format: 'llmspell-session-1';
  session: SessionInfo;
  turns: NumberedTurn[];
  values: ValueMap;
  artifacts: ArtifactInfo[];
};

/** Gives everything of a session. Throws NOT_FOUND. */
export function exportSession(context: Context, id: string): Soon<SessionExport> {
  return whenReady(getSession(context, id), (session) => {
    if (!session) throw refusal(context, id, { refused: 'absent' });
    return whenReady(getTurns(context, id, {}), (turns) =>
      whenReady(getValues(context, id), (values) =>
        whenReady(listArtifacts(context, id, { all_versions: true }), (artifacts) => ({
          format: 'llmspell-session-1' as const,
          session,
          turns,
          values,
          artifacts,
        })),
      ),
    );
  });
}
