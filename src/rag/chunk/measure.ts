/** What a character is to a token count: a blank, part of a word, or a sign that is a token of its own. */
export const [SPACE, WORD, SIGN] = [1, 2, 3] as const;

/** Letters of a word in one token, as in `countTokens`. */
const PER_TOKEN = 6;
/** Blanks are no tokens, so a chunk is bounded in characters too: so many for each token. */
export const MOST_CHARACTERS = 32;

const kinds = new Uint8Array(0x20000);

/** The kind of a code point. */
export function kindOf(point: number): number {
  const known = kinds[point];
  if (known) return known;
  const text = String.fromCodePoint(point);
  const kind = /[\p{L}\p{N}\p{M}]/u.test(text) ? WORD : /\s/.test(text) ? SPACE : SIGN;
  if (point < kinds.length) kinds[point] = kind;
  return kind;
}

/** Where so many tokens of a text end. */
export interface Fit {
  /** Up to here; past `from`, never inside a surrogate pair. */
  readonly at: number;
  readonly tokens: number;
}

/** How far from `from` the text goes, up to `stop`, without exceeding so many tokens (at least 1); one pass, no further than needed. */
export function fit(text: string, from: number, stop: number, most: number): Fit {
  const end = Math.min(stop, from + most * MOST_CHARACTERS);
  let tokens = 0;
  let word = 0;
  let at = from;
  while (at < end) {
    const point = text.codePointAt(at) as number;
    const width = point > 0xffff ? 2 : 1;
    if (at + width > end && at > from) break;
    const kind = kindOf(point);
    if (kind === SPACE) word = 0;
    else if (kind === SIGN) {
      if (tokens === most) break;
      tokens++;
      word = 0;
    } else {
      const more = Math.ceil((word + width) / PER_TOKEN) - Math.ceil(word / PER_TOKEN);
      if (tokens + more > most) break;
      tokens += more;
      word += width;
    }
    at += width;
  }
  return { at, tokens };
}

/** How far back from `stop` the text goes, down to `floor`, without exceeding so many tokens. */
export function fitBack(text: string, stop: number, floor: number, most: number): number {
  const end = Math.max(floor, stop - most * MOST_CHARACTERS);
  let tokens = 0;
  let word = 0;
  let at = stop;
  while (at > end) {
    const width = at - 2 >= end && isLow(text.charCodeAt(at - 1)) && isHigh(text.charCodeAt(at - 2)) ? 2 : 1;
    const kind = kindOf(text.codePointAt(at - width) as number);
    if (kind === SPACE) word = 0;
    else {
      const more = kind === SIGN ? 1 : Math.ceil((word + width) / PER_TOKEN) - Math.ceil(word / PER_TOKEN);
      if (tokens + more > most) break;
      tokens += more;
      word = kind === SIGN ? 0 : word + width;
    }
    at -= width;
  }
  return isInsidePair(text, at) ? at + 1 : at;
}

/** The tokens of a part of the text, as `countTokens` counts them. */
export function count(text: string, start: number, stop: number): number {
  return fit(text, start, stop, Number.MAX_SAFE_INTEGER / MOST_CHARACTERS).tokens;
}

/** Whether a position lies between the halves of a surrogate pair. */
export function isInsidePair(text: string, at: number): boolean {
  return at > 0 && at < text.length && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
}

/** Whether a position lies inside a word. */
export function isInsideWord(text: string, at: number): boolean {
  return at > 0 && at < text.length && kindAt(text, at) === WORD && kindBefore(text, at) === WORD;
}

/** The kind of the character that begins here. */
export function kindAt(text: string, at: number): number {
  return kindOf(text.codePointAt(at) as number);
}

/** The kind of the character that ends here. */
export function kindBefore(text: string, at: number): number {
  return kindOf(text.codePointAt(isInsidePair(text, at - 1) ? at - 2 : at - 1) as number);
}

function isHigh(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLow(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}
