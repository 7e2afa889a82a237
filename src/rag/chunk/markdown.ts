import { pieceEnd } from '../../call/text.ts';
import type { Chunker } from './chunker.ts';
import { fit } from './measure.ts';
import type { Piece } from './pack.ts';
import { divide, LINES } from './recursive.ts';
import { isBlank, lines, type Range } from './split.ts';

/** What a line says is looked for in its beginning only. */
const LOOKED_AT = 400;
const LONGEST_TITLE = 120;
const HEADING = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const FRONT_MATTER_END = /\n---[ \t]*(?:\n|$)/;
const MOST_FRONT_MATTER = 8_192;
const ROW = /^ {0,3}\|/;

/** A block of a Markdown text: what may stand together in a chunk, and is not cut if it fits. */
interface Block extends Range {
  readonly kind: 'heading' | 'code' | 'table' | 'text';
  readonly level?: number;
  readonly title?: string;
}

/** Sections under their headings; code blocks and tables are whole where they fit. */
export const markdown: Chunker = {
  doc: 'sections by their headings; code blocks and tables stay whole where they fit',
  indented: true,
  *pieces(text, { size }): Generator<Piece> {
    const path: { level: number; title: string }[] = [];
    let headings: readonly string[] = [];
    let filled = false;
    for (const { kind, start, stop, level = 0, title = '' } of blocks(text)) {
      if (kind === 'heading') {
        while (path.length > 0 && (path.at(-1)?.level ?? 0) >= level) path.pop();
        path.push({ level, title });
        headings = path.map((one) => one.title).filter((one) => one !== '');
      }
      const hard = kind === 'heading' && filled;
      filled = kind === 'heading' ? false : filled || !isBlank(text, start, stop);
      const whole = kind === 'code' || kind === 'table';
      if (whole && fit(text, start, stop, size).at >= stop) yield { start, stop, whole, headings };
      else {
        let first = true;
        for (const piece of divide(text, start, stop, size, LINES)) {
          yield { ...piece, headings, hard: hard && first };
          first = false;
        }
      }
    }
  },
};

/** The blocks of a text in order, without gaps. */
function* blocks(text: string): Generator<Block> {
  let open: { kind: Block['kind']; start: number; fence?: string } | undefined;
  let last = 0;
  let blank = false;
  for (const { start, stop } of lines(text, 0, text.length)) {
    const line = text.slice(start, Math.min(stop, start + LOOKED_AT)).trimEnd();
    const empty = isBlank(text, start, stop);
    const fence = FENCE.exec(line)?.[1];
    const isFrontMatter = start === 0 && line === '---' && FRONT_MATTER_END.test(text.slice(stop - 1, MOST_FRONT_MATTER));
    if (open?.fence !== undefined) {
      if (line.trim().startsWith(open.fence) && line.trim().replaceAll(open.fence[0] as string, '') === '') open = { kind: 'code', start: open.start };
    } else if (fence !== undefined || isFrontMatter) {
      if (start > last) yield { kind: open?.kind ?? 'text', start: last, stop: start };
      last = start;
      open = { kind: 'code', start, fence: isFrontMatter ? '---' : (fence as string) };
    } else {
      const heading = empty ? undefined : headingOf(line, open?.kind === 'text' && !blank, text, start, last);
      if (heading) {
        if (heading.start > last) yield { kind: open?.kind ?? 'text', start: last, stop: heading.start };
        yield { kind: 'heading', start: heading.start, stop, level: heading.level, title: heading.title };
        last = stop;
        open = undefined;
      } else if (!empty) {
        const kind = ROW.test(line) ? 'table' : 'text';
        const begins: boolean = open !== undefined && (blank || open.kind !== kind);
        if (begins && start > last) {
          yield { kind: open?.kind ?? 'text', start: last, stop: start };
          last = start;
        }
        if (begins || !open) open = { kind, start };
      }
    }
    blank = empty && open?.fence === undefined;
  }
  if (last < text.length) yield { kind: open?.kind ?? 'text', start: last, stop: text.length };
}

/** The heading that a line is, or that it makes of the single line before it (`===`, `---`). */
function headingOf(line: string, underlines: boolean, text: string, start: number, last: number): { start: number; level: number; title: string } | undefined {
  const [before, signs] = HEADING.exec(line) ?? [];
  if (before !== undefined && signs !== undefined) return { start, level: signs.length, title: plain(withoutClosing(line.slice(before.length).trim())) };
  if (!underlines || !/^ {0,3}(?:=+|-+)$/.test(line)) return undefined;
  const above = text.slice(Math.max(last, start - LOOKED_AT), start).trimEnd();
  if (above === '' || above.includes('\n') || start - last > LOOKED_AT || ROW.test(above)) return undefined;
  return { start: last, level: line.includes('=') ? 1 : 2, title: plain(above) };
}

/** Without the signs that may close a heading. */
function withoutClosing(title: string): string {
  let end = title.length;
  while (end > 0 && title[end - 1] === '#') end--;
  return end === 0 || title[end - 1] === ' ' ? title.slice(0, end).trim() : title;
}

function plain(title: string): string {
  return title
    .slice(0, pieceEnd(title, 0, LONGEST_TITLE))
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[*`]|\\(?=[#*_`[\]])/g, '')
    .trim();
}
