/** An English word without its plural or tense, roughly: enough that `chunks`, `chunked` and `chunking` meet. Other words stay. */
export function stem(word: string): string {
  if (word.length < 4 || word.charCodeAt(word.length - 1) > 0x7a) return word;
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  if (word.endsWith('ing') && word.length > 6) return undouble(word.slice(0, -3));
  if (word.endsWith('ed') && word.length > 5) return undouble(word.slice(0, -2));
  if (/(?:s|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  return word.endsWith('e') && word.length > 5 ? word.slice(0, -1) : word;
}

/** `stopp` of `stopped` is `stop`; a final e is taken off as it is from the bare word. */
function undouble(root: string): string {
  const last = root.at(-1);
  if (last === root.at(-2) && last !== undefined && !'lsz'.includes(last)) return root.slice(0, -1);
  return root.endsWith('e') && root.length > 5 ? root.slice(0, -1) : root;
}
