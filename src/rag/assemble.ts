import { countTokens } from '../model/tokens.ts';
import { cutBefore } from './chunk/boundary.ts';
import type { Hit } from './knowledge.ts';

/** A numbered passage of an assembled context: one stretch of one document. */
export type Citation = {
  /** As in the text, `[1]`. */
  number: number;
  document_id: string;
  source: string;
  heading: string;
  /** In the document's text, UTF-16 code units. */
  start: number;
  stop: number;
};

export interface Assembled {
  /** What stands before a question: each passage under a line `[1] source › heading`. */
  readonly text: string;
  readonly citations: Citation[];
  readonly tokens: number;
  /** True when passages were left out or cut for want of room. */
  readonly truncated: boolean;
}

interface Passage {
  readonly hit: Hit;
  start: number;
  stop: number;
  text: string;
}

/** The least room, in tokens, for which a passage is cut instead of left out. */
const WORTH_CUTTING = 32;

/** Puts hits together in their order within a budget of tokens; chunks that touch or overlap in one document become one passage. */
export function assemble(hits: readonly Hit[], maxTokens: number): Assembled {
  const citations: Citation[] = [];
  const parts: string[] = [];
  let left = maxTokens;
  let truncated = false;
  for (const passage of join(hits)) {
    const { document, chunk } = passage.hit;
    const source = document.source ?? document.id;
    const heading = (chunk.headings ?? []).join(' › ');
    const head = `[${citations.length + 1}] ${heading === '' ? source : `${source} › ${heading}`}\n`;
    const room = left - countTokens(head);
    const text = fit(passage.text, room);
    if (text.length < passage.text.length) truncated = true;
    if (text === '') continue;
    parts.push(head + text);
    citations.push({ number: citations.length + 1, document_id: document.id, source, heading, start: passage.start, stop: passage.start + text.length });
    left = room - countTokens(text);
  }
  return { text: parts.join('\n\n'), citations, tokens: maxTokens - left, truncated };
}

/** Chunks of one document that touch or overlap, as one passage at the place of the best. */
function join(hits: readonly Hit[]): Passage[] {
  const passages: Passage[] = [];
  for (const hit of hits) {
    const { start, stop, text } = hit.chunk;
    const near = passages.find((other) => other.hit.document.id === hit.document.id && start <= other.stop && stop >= other.start);
    if (!near) passages.push({ hit, start, stop, text });
    else {
      if (start < near.start) [near.start, near.text] = [start, text.slice(0, near.start - start) + near.text];
      if (stop > near.stop) [near.stop, near.text] = [stop, near.text + text.slice(text.length - (stop - near.stop))];
    }
  }
  return passages;
}

/** As much of a text as the room allows, cut at the end of a sentence or word, else between graphemes; empty when that is not worth it. */
function fit(text: string, room: number): string {
  if (countTokens(text) <= room) return text;
  if (room < WORTH_CUTTING) return '';
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(text.slice(0, middle)) <= room) low = middle;
    else high = middle - 1;
  }
  const cut = text.slice(0, low);
  const sentence = Math.max(cut.lastIndexOf('. '), cut.lastIndexOf('\n')) + 1;
  return cut.slice(0, sentence > low / 2 ? sentence : cutBefore(text, 0, low)).trimEnd();
}
