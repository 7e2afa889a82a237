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
  return text
    .replaceAll(/!\[([^\]]*)\]\([^)\s]*\)/g, '$1')
    .replaceAll(/\[([^\]]+)\]\([^)\s]*\)/g, '$1')
    .replaceAll(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/g, '$2')
    .replaceAll(/(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=\S)\*(?!\w)/g, '$1')
    .replaceAll('`', '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function splitParagraph(paragraph: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const end of paragraph.matchAll(/[.!?…]+["'”’)\]]*\s+(?=["'“‘(¿¡[]*[\p{Lu}\p{N}])|[。！？]["”』」]*/gu)) {
    const stop = end.index + end[0].length;
    const sentence = paragraph.slice(start, stop).trim();
    if (ABBREVIATION.test(sentence)) continue;
    sentences.push(sentence);
    start = stop;
  }
  const rest = paragraph.slice(start).trim();
  return rest === '' ? sentences : [...sentences, rest];
}
