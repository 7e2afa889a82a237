import { deflateSync } from 'node:zlib';

export interface PdfOptions {
  /** Lines of each page; an empty page has no text. */
  readonly pages: readonly (readonly string[])[];
  readonly title?: string;
  /** More objects, whole, with their numbers from 100 on. */
  readonly objects?: readonly string[];
  /** More entries of the catalogue or the trailer. */
  readonly catalog?: string;
  readonly trailer?: string;
  /** In place of the first page's content, packed already. */
  readonly content?: Buffer;
  readonly filter?: string;
}

/** A real PDF, written by hand: one font, lines of text, packed streams, a cross-reference table. */
export function makePdf({ pages, title, objects = [], catalog = '', trailer = '', content, filter = '/FlateDecode' }: PdfOptions): Buffer {
  const parts: Buffer[] = [];
  const places: [id: number, at: number][] = [];
  let size = 0;
  const write = (data: string | Buffer) => {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
    parts.push(bytes);
    size += bytes.length;
  };
  const object = (id: number, ...data: (string | Buffer)[]) => {
    places.push([id, size]);
    write(`${id} 0 obj\n`);
    for (const one of data) write(one);
    write('\nendobj\n');
  };
  write('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n');
  const first = 10;
  object(1, `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`);
  object(2, `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, at) => `${first + at * 2} 0 R`).join(' ')}] >>`);
  object(3, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>');
  if (title !== undefined) object(4, `<< /Title (${title}) >>`);
  for (const [at, lines] of pages.entries()) {
    const id = first + at * 2;
    object(id, `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${id + 1} 0 R >>`);
    const shown = lines.map((line, row) => `1 0 0 1 72 ${720 - row * 14} Tm (${line.replaceAll(/[\\()]/g, '\\$&')}) Tj`).join('\n');
    const packed = at === 0 && content ? content : deflateSync(Buffer.from(lines.length === 0 ? '' : `BT /F1 12 Tf\n${shown}\nET`, 'latin1'));
    object(id + 1, `<< /Length ${packed.length} /Filter ${filter} >>\nstream\n`, packed, '\nendstream');
  }
  for (const [at, one] of objects.entries()) object(100 + at, one);
  const table = size;
  write(`xref\n0 1\n0000000000 65535 f \n`);
  for (const [id, at] of places) write(`${id} 1\n${String(at).padStart(10, '0')} 00000 n \n`);
  write(`trailer\n<< /Size 200 /Root 1 0 R ${title === undefined ? '' : '/Info 4 0 R'} ${trailer} >>\nstartxref\n${table}\n%%EOF\n`);
  return Buffer.concat(parts);
}
