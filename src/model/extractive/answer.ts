import type { ValueMap } from '../../call/value.ts';
import { modelFailed } from '../failure.ts';
import type { Message } from '../model.ts';
import { fillSchema } from './fill.ts';
import { type Material, readMaterial } from './material.ts';
import { beginning, chooseQuotes, cut, type Quote } from './quotes.ts';
import { mainTerms, rank, readSentences } from './rank.ts';
import { questionTerms } from './words.ts';

/** What is to be answered: messages with text in them, and the JSON Schema of the answer where it is to have one. */
export interface ExtractiveInput {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly schema: ValueMap | undefined;
}

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

const LARGEST = 4_000_000;

/** The answer in pieces. Throws MODEL_FAILED for a text that is too long and for a schema that cannot be filled. */
export function run({ model, messages, schema }: ExtractiveInput): string[] {
  const findings = search(model, readMaterial(messages));
  if (!schema) return compose(findings);
  const text = fillSchema(model, schema, findings);
  if (text.length > LARGEST) throw tooLong(model, `the answer has ${text.length} characters, more than the ${LARGEST} it writes`);
  return [text];
}

function tooLong(model: string, what: string): Error {
  return modelFailed(model, what, { outcome: 'failed', retryable: false });
}

function search(model: string, { question, isInstruction, blocks }: Material): Findings {
  const size = blocks.reduce((sum, { text }) => sum + text.length, 0);
  if (size > LARGEST) throw tooLong(model, `the text has ${size} characters, more than the ${LARGEST} it reads`);
  const sentences = readSentences(blocks);
  const terms = questionTerms(question, isInstruction);
  const summary = terms.size === 0 && sentences.length > 0;
  const wanted = summary ? mainTerms(sentences) : [...terms.keys()];
  const { ranked, missing } = rank(sentences, blocks, wanted);
  const quotes =
    summary && ranked.length === 0
      ? sentences.slice(0, 3).map(({ text, block }) => ({ text: cut(text), source: blocks[block]?.source }))
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
  return ` It does not mention ${missing.map((word) => `“${shorten(word)}”`).join(', ')}.`;
}

function shorten(question: string): string {
  const text = question.replaceAll(/\s+/g, ' ').trim();
  return text.length <= 120 ? text : `${beginning(text, 117)} …`;
}
