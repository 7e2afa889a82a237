import type { Context } from '../call/context.ts';
import { valueText } from '../model/model.ts';
import { getTurns } from '../session/turns.ts';
import { withConversation } from './converse.ts';
import type { Widen } from './retrieve.ts';

const TURNS = 5;
const BOOST = 1.2;
/** Of each turn, UTF-16 code units from its beginning. */
const MOST_CHARACTERS = 2_000;

/** What a session's last turns add to a query. Throws NOT_FOUND when there is no such session. */
export async function conversationOf(
  context: Context,
  session: string,
  {
    query,
    conversation_memory_turns = TURNS,
    context_boost = BOOST,
  }: { query: string; conversation_memory_turns?: number | undefined; context_boost?: number | undefined },
): Promise<Widen | undefined> {
  const turns = conversation_memory_turns === 0 ? [] : await getTurns(context, session, { last: conversation_memory_turns });
  return withConversation(query, { turns: turns.map(({ content }) => valueText(content).slice(0, MOST_CHARACTERS)), context_boost });
}
