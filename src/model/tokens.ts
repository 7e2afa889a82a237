import { inTurns } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ModelRequest } from './model.ts';

const LETTERS_OF_A_TOKEN = 6;
/** UTF-16 units that are looked at in one step. */
const STEP = 65_536;

/** What a UTF-16 unit is to the count; a surrogate is looked at with its other half. */
const KIND = { unknown: 0, space: 1, letter: 2, sign: 3, surrogate: 4 } as const;
/** By unit, filled in as units come. */
const kinds = new Uint8Array(2 ** 16);

function kindOf(character: string): number {
  if (/^[\p{L}\p{N}\p{M}]$/u.test(character)) return KIND.letter;
  return /^\s$/.test(character) ? KIND.space : /^\p{Cs}$/u.test(character) ? KIND.surrogate : KIND.sign;
}

/** Counts the tokens of texts one after the other, in steps. */
class Counter {
  count = 0;
  readonly #texts: readonly string[];
  #next = 0;
  #at = 0;
  #letters = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** Goes on for a while; true when all are counted. */
  readonly step = (): boolean => {
    for (let left = STEP; this.#next < this.#texts.length; this.#next++) {
      const text = this.#texts[this.#next] as string;
      const end = Math.min(text.length, this.#at + left);
      left -= end - this.#at;
      this.#look(text, end);
      if (this.#at < text.length) return false;
      this.#endPiece();
      this.#at = 0;
    }
    return true;
  };

  /** Goes on in a text until `end`, or one behind it where that is within a pair. */
  #look(text: string, end: number): void {
    let at = this.#at;
    for (; at < end; at++) {
      const unit = text.charCodeAt(at);
      let kind = kinds[unit] as number;
      if (kind === KIND.unknown) kind = kinds[unit] = kindOf(text.charAt(at));
      let size = 1;
      if (kind === KIND.surrogate) {
        const whole = String.fromCodePoint(text.codePointAt(at) as number);
        size = whole.length;
        kind = size === 2 ? kindOf(whole) : KIND.sign;
      }
      if (kind === KIND.letter) this.#letters += size;
      else {
        if (this.#letters > 0) this.#endPiece();
        if (kind === KIND.sign) this.count++;
      }
      at += size - 1;
    }
    this.#at = at;
  }

  #endPiece(): void {
    this.count += Math.ceil(this.#letters / LETTERS_OF_A_TOKEN);
    this.#letters = 0;
  }
}

/** About how many tokens a text has: pieces of up to six letters or digits, and other signs one by one; within some 20 % of the common tokenizers for English. */
export function countTokens(text: string): number {
  const counter = new Counter([text]);
  while (!counter.step());
  return counter.count;
}

/** As `countTokens`, of several texts together, for a run, over several turns of the event loop where they are large. */
export function countTokensSoon(cpu: Cpu, texts: readonly string[]): Soon<number> {
  const counter = new Counter(texts);
  return whenReady(inTurns(cpu, counter.step), () => counter.count);
}

const PER_MESSAGE = 4;
const PER_IMAGE = 800;

type Counted = Pick<ModelRequest, 'messages' | 'tools' | 'schema'>;

/** About how many tokens a request has before its answer; over several turns of the event loop where it is large. */
export function countRequestSoon(cpu: Cpu, request: Counted): Soon<number> {
  const { texts, besides } = partsOf(request);
  return whenReady(countTokensSoon(cpu, texts), (count) => count + besides);
}

/** The texts of a request, and the tokens of what is none. */
function partsOf({ messages, tools, schema }: Counted): { texts: string[]; besides: number } {
  const texts: string[] = [];
  let besides = 0;
  for (const message of messages) {
    besides += PER_MESSAGE;
    texts.push(message.content);
    // Apart: together they would be one more long text.
    if (message.role === 'user' && message.context !== undefined) texts.push(message.context);
    if (message.role === 'user') besides += PER_IMAGE * (message.images?.length ?? 0);
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) texts.push(call.name + call.input);
  }
  for (const tool of tools) texts.push(tool.name + tool.description + JSON.stringify(tool.parameters));
  if (schema) texts.push(JSON.stringify(schema));
  return { texts, besides };
}
