import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { type Message, valueText } from '../model/model.ts';
import { addTurns, getTurns, type NumberedTurn } from './turns.ts';

/** Which session an agent continues, and how many of its turns it is shown. */
export interface SessionUse {
  readonly id: string;
  /** All if not given. */
  readonly last?: number | undefined;
}

/** The turns of a session as messages for a model. Throws NOT_FOUND. */
export function readTranscript(context: Context, { id, last }: SessionUse): Soon<Message[]> {
  return whenReady(getTurns(context, id, { last }), (turns) => paired(turns.map(messageOf)));
}

/** Adds messages to a session, all or none. Throws as `addTurns` does. */
export function recordMessages(context: Context, { id }: SessionUse, messages: readonly Message[]): Soon<number> {
  return addTurns(
    context,
    id,
    messages.map((message) => ({ ...message })),
  );
}

function messageOf(turn: NumberedTurn): Message {
  const content = valueText(turn.content);
  const extra = (...keys: readonly string[]) =>
    Object.fromEntries(keys.filter((key) => turn[key] !== undefined && turn[key] !== null).map((key) => [key, turn[key]]));
  switch (turn.role) {
    case 'system':
      return { role: 'system', content };
    case 'user':
      return { role: 'user', content, ...(extra('context', 'images') as object) };
    case 'assistant':
      return { role: 'assistant', content, ...(extra('tool_calls') as object) };
    case 'tool':
      return { role: 'tool', content, tool_call_id: textOf(turn.tool_call_id), name: textOf(turn.name), ...(extra('is_error') as object) };
  }
}

/** Providers refuse a tool's result without its call and a call without its result: such halves, cut off or added by hand, are left out. */
function paired(messages: readonly Message[]): Message[] {
  const answered = new Set(messages.flatMap((message) => (message.role === 'tool' ? [message.tool_call_id] : [])));
  const asked = new Set<string>();
  return messages.flatMap((message): Message[] => {
    if (message.role === 'tool') return asked.has(message.tool_call_id) ? [message] : [];
    if (message.role !== 'assistant' || !message.tool_calls) return [message];
    const tool_calls = message.tool_calls.filter(({ id }) => answered.has(id));
    for (const { id } of tool_calls) asked.add(id);
    if (tool_calls.length > 0) return [{ ...message, tool_calls }];
    return message.content === '' ? [] : [{ role: 'assistant', content: message.content }];
  });
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}
