import { Cpu } from '../../call/cpu.ts';
import { modelFailed } from '../failure.ts';
import type { LanguageModel, ModelRequest } from '../model.ts';
import { usageOf } from '../model.ts';
import { countRequestSoon, countTokens } from '../tokens.ts';
import { fillSchema } from './fill.ts';
import { type Material, readMaterial } from './material.ts';
import { chooseQuotes, type Quote } from './quotes.ts';
import { mainTerms, rank, readSentences } from './rank.ts';
import { questionTerms } from './words.ts';

/** What the material says about the question. */
export interface Findings {
  readonly question: string;
  readonly quotes: readonly Quote[];
  /** Words of the question that the material never mentions. */
  readonly missing: readonly string[];
  readonly summary: boolean;
  /** How many sentences were looked at. */
  readonly looked: number;
}

/**
 * Answers from the text it is given by quoting it: no language model, no network, no knowledge of its own.
 * It ranks the sentences of context, prompt, tools' answers and earlier messages by the question's words; `[1] name`, `[name]`, `source: name`,
 * a line that is a file name, Markdown headings and the usual fields of JSON (`path`, `url`, `title`, …) name a sentence's source.
 */
export function createExtractiveModel(name: string): LanguageModel {
  return {
    name,
    capabilities: ['streaming', 'structured_output'],
    async generate(request, onText) {
      const findings = await search(readMaterial(request.messages), request);
      const pieces = request.schema ? [fillSchema(name, request.schema, findings)] : compose(findings);
      const content = pieces.join('');
      if (onText) for (const piece of pieces) await onText(piece);
      const usage = usageOf(await countRequestSoon(new Cpu(), request), countTokens(content));
      return { message: { role: 'assistant', content }, finish_reason: 'stop', usage };
    },
  };
}

const LARGEST = 4_000_000;

async function search({ question, isInstruction, blocks }: Material, { signal, messages }: ModelRequest): Promise<Findings> {
  const size = blocks.reduce((sum, { text }) => sum + text.length, 0);
  if (size > LARGEST)
    throw modelFailed('local/extractive', `the text has ${size} characters, more than the ${LARGEST} it reads`, { outcome: 'failed', retryable: false });
  const sentences = await readSentences(blocks, signal);
  const terms = questionTerms(question, isInstruction);
  const summary = terms.size === 0 && sentences.length > 0 && messages.length > 0;
  const wanted = summary ? mainTerms(sentences) : [...terms.keys()];
  const { ranked, missing } = await rank(sentences, blocks, wanted, signal);
  const quotes =
    summary && ranked.length === 0
      ? sentences.slice(0, 3).map(({ text, block }) => ({ text, source: blocks[block]?.source }))
      : chooseQuotes(ranked, sentences, blocks);
  return { question, quotes, missing: summary ? [] : missing.map((term) => terms.get(term) ?? term), summary, looked: sentences.length };
}

/** The answer to read, sentence by sentence. */
export function compose({ question, quotes, missing, summary, looked }: Findings): string[] {
  const asked = shorten(question);
  if (looked === 0)
    return [
      'There is no text to quote from. ',
      'local/extractive is no language model: it answers by quoting the prompt, the context and what tools returned.',
      ...(asked === '' ? [] : [` It was asked: ${asked}`]),
    ];
  if (quotes.length === 0)
    return [`Nothing in the ${looked === 1 ? 'sentence' : `${looked} sentences`} of the given text answers “${asked}”.`, notMentioned(missing)].filter(
      (piece) => piece !== '',
    );
  const lead = summary
    ? 'The main points of the given text:'
    : quotes.length === 1
      ? `On “${asked}” the given text says:`
      : `On “${asked}” the given text says, best match first:`;
  const lines = quotes.map(({ text, source }, at) => `\n\n${quotes.length === 1 ? '' : `${at + 1}. `}“${text}”${source === undefined ? '' : ` (${source})`}`);
  const last = notMentioned(missing);
  return [lead, ...lines, ...(last === '' ? [] : [`\n\n${last.trim()}`])];
}

function notMentioned(missing: readonly string[]): string {
  if (missing.length === 0 || missing.length > 6) return '';
  return ` It does not mention ${missing.map((word) => `“${word}”`).join(', ')}.`;
}

function shorten(question: string): string {
  const text = question.replaceAll(/\s+/g, ' ').trim();
  return text.length <= 120 ? text : `${text.slice(0, text.lastIndexOf(' ', 117))} …`;
}
