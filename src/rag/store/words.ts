/** Scripts that write words without spaces between them: each sign is indexed as a word of its own. */
const UNSPACED = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]`;

/** Made at first use, for each takes V8 a good part of a millisecond. */
const patterns = () => (made ??= { unspaced: new RegExp(UNSPACED, 'gu'), runs: new RegExp(`${UNSPACED}+`, 'gu'), words: /[\p{L}\p{N}\p{M}\p{Co}]+/gu });
let made: Record<'unspaced' | 'runs' | 'words', RegExp> | undefined;

/** A name such as `maxRetries` or `parseJSONText`, and the places between its parts. */
const CAMEL = /\b[A-Za-z]{0,64}[a-z][A-Z][A-Za-z]{0,64}/g;
const SEAM = /(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;

/** Words that nearly every English text has: asked for only where a query has no others. */
const COMMON = new Set(
  'a an and are as at be but by can did do does for from had has have how i if in into is it its me my no not of on or our so that the their them then there these they this to was we were what when where which who why will with would you your'.split(
    ' ',
  ),
);
/** Distinct terms of a query that are asked for; a whole page as a query would ask for hundreds. */
const MOST_TERMS = 64;

/** Text as it goes into the full-text index: `maxRetries` is followed by its parts, signs of scripts without spaces stand apart. */
export function searchable(text: string): string {
  const parted = text.replaceAll(CAMEL, (name) => `${name} ${name.replaceAll(SEAM, ' ')}`);
  return parted.replaceAll(patterns().unspaced, ' $& ');
}

/** What a text of a user asks a full-text index for: its words, and pairs of neighbours where words have no spaces between them. */
export function searchedTerms(text: string): string[] {
  const terms = new Set<string>();
  const { words, runs } = patterns();
  for (const [word] of text.toWellFormed().toLowerCase().matchAll(words)) {
    for (const part of word.split(runs)) if (part !== '') terms.add(part);
    for (const [run] of word.matchAll(runs)) for (const pair of pairs([...run])) terms.add(pair);
  }
  const rare = [...terms].filter((term) => !COMMON.has(term));
  return (rare.length > 0 ? rare : [...terms]).slice(0, MOST_TERMS);
}

/** A full-text query for any of some terms, or for all of them. */
export function matchExpression(terms: readonly string[], joint: 'OR' | 'AND' = 'OR'): string {
  return terms.map((term) => `"${term}"`).join(` ${joint} `);
}

function pairs(signs: readonly string[]): string[] {
  if (signs.length === 1) return [signs[0] as string];
  return signs.slice(1).map((sign, at) => `${signs[at]} ${sign}`);
}
