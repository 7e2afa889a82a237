import { isMap } from '../call/check/kind.ts';
import { TEXT_PIECE } from '../call/long-text.ts';
import { pieceEnd } from '../call/text.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { valueText } from '../model/model.ts';

/** What `valueText` makes of a list or map, piece by piece: as a whole the text of a large one would hold the event loop. */
export function* jsonPieces(value: Value, indent = '\n'): Generator<string, void> {
  if (typeof value === 'string') yield* stringPieces(value);
  else if (Array.isArray(value))
    yield* itemsBetween(
      '[',
      ']',
      value.map((item): Item => ['', typeof item === 'function' ? null : item]),
      indent,
    );
  else if (isMap(value)) yield* itemsBetween('{', '}', membersOf(value), indent);
  else yield valueText(value);
}

/** What stands before a value, and the value. */
type Item = readonly [before: string, value: Value];

function membersOf(map: ValueMap): Item[] {
  const members = Object.entries(map).filter(([, value]) => value !== undefined && typeof value !== 'function');
  return members.map(([key, value]) => [`${JSON.stringify(key)}: `, value]);
}

function* itemsBetween(open: string, close: string, items: readonly Item[], indent: string): Generator<string, void> {
  if (items.length === 0) return yield open + close;
  const deeper = `${indent} `;
  for (const [at, [before, value]] of items.entries()) {
    yield (at === 0 ? open : ',') + deeper + before;
    yield* jsonPieces(value, deeper);
  }
  yield indent + close;
}

function* stringPieces(text: string): Generator<string, void> {
  yield '"';
  for (const piece of piecesOf(text)) yield JSON.stringify(piece).slice(1, -1);
  yield '"';
}

/** A text in pieces that are made and copied at once. */
export function* piecesOf(text: string): Generator<string, void> {
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = pieceEnd(text, from, TEXT_PIECE);
    yield text.slice(from, to);
  }
}
