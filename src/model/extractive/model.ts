import { breathe } from '../../call/breath.ts';
import { toPlain, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { inWorker } from '../../worker/pool.ts';
import { modelFailed } from '../failure.ts';
import { type LanguageModel, type Message, type ModelRequest, messageText, usageOf, valueText, type WorkOwner } from '../model.ts';
import { countRequestSoon, countTokensSoon } from '../tokens.ts';
import { type ExtractiveInput, run } from './answer.ts';

/** Characters that are read at once; longer conversations are read in a thread. */
const SMALL = 8_000;
/** More is not looked through. */
const MOST = 16 * 2 ** 20;
const DEADLINE_MS = 30_000;

/**
 * Answers from the text it is given by quoting it: no language model, no network, no knowledge of its own.
 * It ranks the sentences of context, prompt, tools' answers and earlier messages by the question's words; `[1] name`, `[name]`, `source: name`,
 * a line that is a file name, Markdown headings and the usual fields of JSON (`path`, `url`, `title`, …) name a sentence's source.
 */
export function createExtractiveModel(name: string): LanguageModel {
  return {
    name,
    capabilities: ['streaming', 'structured_output'],
    async generate(request, onText, owner) {
      const pieces = await answer(name, request, owner);
      const content = pieces.join('');
      if (onText) for (const piece of pieces) await onText(piece);
      const usage = usageOf(await countRequestSoon(owner.cpu, request), await countTokensSoon(owner.cpu, [content]));
      return { message: { role: 'assistant', content }, finish_reason: 'stop', usage };
    },
  };
}

async function answer(model: string, { messages, schema, signal }: ModelRequest, owner: WorkOwner): Promise<string[]> {
  const read = messages.filter(({ role }) => role === 'user' || role === 'tool').map(withoutImages);
  const size = read.reduce((sum, message) => sum + messageText(message).length, schema ? valueText(schema).length : 0);
  const failed = (what: string) => modelFailed(model, what, { outcome: 'failed', retryable: false });
  if (size > MOST) throw failed(`the conversation has ${size} characters, more than the ${MOST} it looks through`);
  const input: ExtractiveInput = { model, messages: read, schema: schema && (toPlain(schema) as ValueMap) };
  if (size <= SMALL) {
    // So that the run is charged with it.
    await breathe(owner.cpu);
    return run(input);
  }
  try {
    return await inWorker<string[]>(new URL('./answer.ts', import.meta.url), input, { deadlineMs: DEADLINE_MS, signal, run: owner });
  } catch (error) {
    if (signal.aborted || !(error instanceof ScriptError) || !error.message.startsWith('the work ')) throw error;
    throw failed(error.message);
  }
}

function withoutImages(message: Message): Message {
  if (message.role !== 'user') return message;
  const { images: _, ...rest } = message;
  return rest;
}
