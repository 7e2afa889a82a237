import { type ModelRequest, messageText } from './model.ts';

/** About how many tokens a text has: pieces of up to six letters or digits, and other signs one by one; within some 20 % of the common tokenizers for English. */
export function countTokens(text: string): number {
  let count = 0;
  for (const [piece] of text.matchAll(/[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]/gu)) count += Math.ceil(piece.length / 6);
  return count;
}

const PER_MESSAGE = 4;
const PER_IMAGE = 800;

/** About how many tokens a request has before its answer. */
export function countRequest(request: Pick<ModelRequest, 'messages' | 'tools' | 'schema'>): number {
  let count = 0;
  for (const message of request.messages) {
    count += PER_MESSAGE + countTokens(messageText(message));
    if (message.role === 'user') count += PER_IMAGE * (message.images?.length ?? 0);
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) count += countTokens(call.name + call.input);
  }
  for (const tool of request.tools) count += countTokens(tool.name + tool.description + JSON.stringify(tool.parameters));
  return count + (request.schema ? countTokens(JSON.stringify(request.schema)) : 0);
}
