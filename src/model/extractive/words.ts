/** Words that carry no content of a question or sentence. */
const STOP = new Set(
  `a about above after again all also am an and any are as at be because been before being below between both but by can could did do does doing done down during
  each few for from further get had has have having he her here hers him his how i if in into is it its itself just let like made make many may me might more most much must my no nor not now
  of off on once only or other our out over own per same shall she should so some such than that the their them then there these they this those through to too under until up upon us use used using
  very was we were what when where whether which while who whom whose why will with within without would yes you your`.split(/\s+/),
);

/** Whether a word in small letters carries no content of its own. */
export function isStopWord(word: string): boolean {
  return STOP.has(word);
}

/** What people write to say what to do, not what it is about; stop words in an instruction, content in a question. */
const INSTRUCTION = new Set(
  `analyse analyze answer answers article based below bullet bullets briefly cite concise context describe detail document documents explain extract file find finding findings following give given
  hello hi input key list main material note notes output overview paragraph passage passages please point points provide question quotation quotations quote quotes read report result results review
  search sentence sentences short source sources step summarise summarize summary tell text thank thanks topic webpage words write`.split(/\s+/),
);

/** The words of a text in lower case; `list_keys` counts as itself and as its parts. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}_]+/gu)) {
    words.push(word);
    if (word.includes('_')) for (const part of word.split('_')) if (part !== '') words.push(part);
  }
  return words;
}

/** Stems of a text's content words, in order. */
export function termsOf(text: string): string[] {
  return wordsOf(text)
    .filter((word) => !STOP.has(word) && (word.length > 1 || /[^a-z]/.test(word)))
    .map(stem);
}

/** A question's content words by their stem; those of an instruction alone do not count. */
export function questionTerms(question: string, isInstruction: boolean): Map<string, string> {
  const terms = new Map<string, string>();
  for (const word of wordsOf(question)) {
    if (STOP.has(word) || (isInstruction && INSTRUCTION.has(word)) || (word.length === 1 && /[a-z]/.test(word))) continue;
    const key = stem(word);
    if (!terms.has(key)) terms.set(key, word);
  }
  return terms;
}

/** A light English stemmer: inflections and the commonest derivations, so that `configured` meets `configuration`. Other languages pass nearly unchanged. */
export function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
  let root = word.replace(/(?:'s|s')$/, '');
  if (/ies$/.test(root) && root.length > 4) root = `${root.slice(0, -3)}y`;
  else if (/(?:ss|x|ch|sh)es$/.test(root)) root = root.slice(0, -2);
  else if (/[^suia]s$/.test(root)) root = root.slice(0, -1);
  for (const suffix of ['ations', 'ation', 'ingly', 'edly', 'ing', 'ion', 'ed', 'ly']) {
    if (!root.endsWith(suffix) || root.length - suffix.length < 3) continue;
    root = root.slice(0, -suffix.length).replace(/([bdfgmnprt])\1$/, '$1');
    break;
  }
  if (root.length > 3 && root.endsWith('e')) root = root.slice(0, -1);
  if (root.length > 5 && root.endsWith('at')) root = root.slice(0, -2);
  return root.length > 3 && root.endsWith('y') ? `${root.slice(0, -1)}i` : root;
}
