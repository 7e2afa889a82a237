/** Abbreviations whose full stop ends no sentence. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|etc|cf|vs|dr|mr|mrs|ms|prof|st|no|fig|approx|resp|incl|[A-Z])\.$/i;

/** A text's sentences, Markdown taken off: paragraphs and list items end sentences, code blocks and tables are left out. */
export function sentencesOf(text: string): string[] {
  return paragraphsOf(text).flatMap(splitParagraph);
}

function paragraphsOf(text: string): string[] {
  const paragraphs: string[] = [];
  let lines: string[] = [];
  let inCode = false;
  const close = () => {
    if (lines.length > 0) paragraphs.push(lines.join(' '));
    lines = [];
  };
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (/^(?:```|~~~)/.test(line)) {
      inCode = !inCode;
      close();
    } else if (inCode) continue;
    else if (line === '' || /^\|.*\|$/.test(line) || /^(?:[-=*_] ?){3,}$/.test(line)) close();
    else if (/^(?:[-*+•]|\d{1,3}[.)])\s+/.test(line)) {
      close();
      lines.push(line.replace(/^(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ x]\]\s*)?/i, ''));
    } else lines.push(line.replace(/^>+\s?/, ''));
  }
  close();
  return paragraphs.map(plainText).filter((paragraph) => paragraph !== '');
}

/** Markdown's emphasis, links, images and code marks as the words they mark. */
export function plainText(text: string): string {
  return withoutStrong(withoutLinks(withoutLinks(text, '!['), '['))
    .replaceAll(/(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?!\w)/g, '$1')
    .replaceAll('`', '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** Images (`![`) or links (`[`) as their labels; a link has one. */
function withoutLinks(text: string, opening: '![' | '['): string {
  const least = opening === '[' ? 1 : 0;
  const closing = searchIn(text, /\]/g);
  const addressEnd = searchIn(text, /[)\s]/g);
  let out = '';
  let from = 0;
  for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, Math.max(from, at + 1))) {
    const start = at + opening.length;
    const end = closing(start);
    if (end === undefined) break;
    if (end - start < least || text[end + 1] !== '(') continue;
    const last = addressEnd(end + 2);
    if (last === undefined || text[last] !== ')') continue;
    out += text.slice(from, at) + text.slice(start, end);
    from = last + 1;
  }
  return out + text.slice(from);
}

/** What stands between two `**` or two `__`, without them. */
function withoutStrong(text: string): string {
  const closing = { '**': searchIn(text, /(?<=\S)\*\*/g), __: searchIn(text, /(?<=\S)__/g) };
  const opening = /(\*\*|__)(?=\S)/g;
  let out = '';
  let from = 0;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const start = found.index + 2;
    const end = closing[found[1] as '**' | '__'](start + 1);
    if (end === undefined) opening.lastIndex = found.index + 1;
    else {
      out += text.slice(from, found.index) + text.slice(start, end);
      from = opening.lastIndex = end + 2;
    }
  }
  return out + text.slice(from);
}

/** Where a pattern is found next from a place on; asked for places in order, it goes through the text once. */
function searchIn(text: string, pattern: RegExp): (from: number) => number | undefined {
  let next: number | undefined = -1;
  return (from) => {
    if (next !== undefined && next < from) {
      pattern.lastIndex = from;
      next = pattern.exec(text)?.index;
    }
    return next;
  };
}

/** So much of the end of a sentence holds any abbreviation. */
const TAIL = 16;

function splitParagraph(paragraph: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const end of paragraph.matchAll(/(?<![.!?…])[.!?…]+["'”’)\]]*\s+(?=["'“‘(¿¡[]*[\p{Lu}\p{N}])|[。！？]["”』」]*/gu)) {
    const stop = end.index + end[0].length;
    if (ABBREVIATION.test(paragraph.slice(Math.max(start, stop - TAIL), stop).trim())) continue;
    sentences.push(paragraph.slice(start, stop).trim());
    start = stop;
  }
  const rest = paragraph.slice(start).trim();
  return rest === '' ? sentences : [...sentences, rest];
}
