import { deflateSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import type { DocumentLimits } from '../../src/document/document.ts';
import { readDocument } from '../../src/document/read.ts';
import { makeDocx, paragraph, table } from '../support/docx.ts';
import { makePdf } from '../support/pdf.ts';

const signal = new AbortController().signal;
const run = { tenant: 'default', cpu: new Cpu() };
const read = (content: string | Uint8Array, name?: string, media_type?: string, limits: Partial<DocumentLimits> = {}) =>
  readDocument({ bytes: typeof content === 'string' ? Buffer.from(content) : content, name, media_type }, { signal, run, limits });
const utf16 = (text: string, big = false) => (big ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le'));
const PDF = makePdf({ title: 'Ada', pages: [['Hello (world)', 'second line', '', '', 'Another paragraph'], [], ['Page three']] });
const DOCX = makeDocx(
  paragraph('Report', true) +
    paragraph('All is <w:t/>well'.replace('<w:t/>', '')) +
    table([
      ['a', 'b'],
      ['1', '2|3'],
    ]),
);

describe('text', () => {
  it.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from('Käse\r\nund\rBrot')],
    ['UTF-8 with a mark', Buffer.from('\uFEFFKäse\nund\nBrot')],
    ['UTF-16, little end first, with a mark', utf16('\uFEFFKäse\nund\nBrot')],
    ['UTF-16, big end first, with a mark', utf16('\uFEFFKäse\nund\nBrot', true)],
    ['UTF-16 without a mark', utf16('Käse\nund\nBrot')],
    ['UTF-16, big end first, without a mark', utf16('Käse\nund\nBrot', true)],
    ['Latin-1', Buffer.from('Käse\nund\nBrot', 'latin1')],
  ])('in %s is read', async (_, bytes) => {
    expect(await read(bytes, 'a.txt')).toEqual({ text: 'Käse\nund\nBrot', format: 'text' });
  });

  it('takes the charset that an answer names', async () => {
    expect((await read(Buffer.from([0xef, 0xe8, 0xea]), undefined, 'text/plain; charset=KOI8-R')).text).toBe('ОХЙ');
    await expect(read(Buffer.from([0xef, 0xe8]), 'x', 'text/plain; charset=nope')).rejects.toThrow('x: its character encoding "nope" is not known');
  });

  it.each<[string, Uint8Array]>([
    ['zero bytes', Buffer.from([1, 0, 0, 5, 0, 0, 0, 7])],
    ['control characters', Buffer.from(Array.from({ length: 1_000 }, (_, at) => (at * 37) % 256).filter((byte) => byte !== 0))],
  ])('is no rubbish of %s', async (_, bytes) => {
    await expect(read(bytes, 'a.txt')).rejects.toMatchObject({ code: 'TOOL_FAILED', message: 'a.txt: it is neither text nor a document of a known format' });
  });
});

describe('formats', () => {
  it.each<[string, string, string | undefined, object]>([
    ['# Title\n\nText', 'a.md', undefined, { format: 'markdown', title: 'Title', text: '# Title\n\nText' }],
    ['---\na: 1\ntitle: "T"\n---\nText', 'a.md', undefined, { format: 'markdown', title: 'T' }],
    ['<html><title>T</title><script>x</script><h1>H</h1><p>a <b>b</b>', 'a.html', undefined, { format: 'html', title: 'T', text: '# H\n\na **b**' }],
    ['<!doctype html><p>x', 'page', undefined, { format: 'html', text: 'x' }],
    ['<p>x</p>', 'https://example.org/a?b=c.pdf', 'text/html; charset=utf-8', { format: 'html', text: 'x' }],
    [
      '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>x|y</td></tr></tbody></table>',
      'a.html',
      undefined,
      { text: '| a | b |\n| --- | --- |\n| 1 | x\\|y |' },
    ],
    ['name;age\nAda;36\n"Grace ""H""";', 'a.csv', undefined, { format: 'csv', text: 'name: Ada\nage: 36\n\nname: Grace "H"' }],
    ['{"a": {"b": [1, "x"]}, "l": [{"n": 1}, {"n": null}]}', 'a.json', undefined, { format: 'json', text: 'a.b: 1, x\n\nl.n: 1\n\nl.n: null' }],
    ['{"a": 1}\n{"a": 2}\n', 'a.jsonl', undefined, { format: 'json', text: 'a: 1\n\na: 2' }],
    ['def f():\n  pass', 'x/a.py', undefined, { format: 'code', language: 'python', text: 'def f():\n  pass' }],
    ['plain', 'README', undefined, { format: 'text' }],
  ])('%j as %s', async (content, name, media_type, expected) => {
    expect(await read(content, name, media_type)).toMatchObject(expected);
  });

  it('PDF is text page by page, with its title', async () => {
    const found = await read(PDF, 'a.pdf');
    expect(found).toMatchObject({ format: 'pdf', title: 'Ada', text: 'Hello (world)\nsecond line\n\nAnother paragraph\n\nPage three' });
    expect(found.pages?.map(({ start, stop }) => found.text.slice(start, stop))).toEqual(['Hello (world)\nsecond line\n\nAnother paragraph', '', 'Page three']);
  });

  it('DOCX is Markdown: headings, text, tables', async () => {
    expect(await read(DOCX, 'a.docx')).toMatchObject({
      format: 'docx',
      title: 'Report',
      text: '# Report\n\nAll is well\n\n| a | b |\n| --- | --- |\n| 1 | 2\\|3 |',
    });
  });

  it('large files are read the same by a thread', async () => {
    const text = `<p>${'word '.repeat(20_000)}</p>`;
    expect((await read(text, 'a.html')).text).toBe('word '.repeat(20_000).trim());
  });
});

describe('what a file is not', () => {
  it.each<[string, string | Uint8Array, string, string]>([
    ['PDF named as text', PDF, 'a.txt', 'it is not what its name says: .txt names plain text, but its content is a PDF document'],
    ['text named as PDF', 'hello', 'a.pdf', 'it is not what its name says: it is no PDF document'],
    ['text named as DOCX', 'hello', 'a.docx', 'it is not what its name says: it is no DOCX document'],
    ['DOCX named as PDF', DOCX, 'a.pdf', 'it is not what its name says: .pdf names a PDF document, but its content is a DOCX document'],
    ['text named as JSON', 'hello', 'a.json', 'it is no JSON: '],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'a.txt', 'it is a PNG image'],
    ['a spreadsheet', Buffer.from(zipSync({ 'xl/workbook.xml': strToU8('x') })), 'a.xlsx', 'it is a spreadsheet (XLSX), which is not read; save it as CSV'],
    ['an archive', Buffer.from(zipSync({ 'a.txt': strToU8('x') })), 'a.zip', 'it is a ZIP archive'],
    ['a program', Buffer.from('\x7fELF\x02', 'latin1'), 'a', 'it is a program'],
  ])('%s is one clear error', async (_, content, name, problem) => {
    await expect(read(content, name)).rejects.toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining(`${name}: ${problem}`) });
  });
});

describe('hostile documents', () => {
  it.each<[string, Uint8Array, string, Partial<DocumentLimits>, string, string]>([
    ['a PDF that is cut off', PDF.subarray(0, 500), 'a.pdf', {}, 'TOOL_FAILED', 'it is damaged: its pages cannot be found'],
    [
      'a PDF without text',
      makePdf({ pages: [[], []] }),
      'a.pdf',
      {},
      'TOOL_FAILED',
      'it has no text: its 2 pages are empty or pictures, which only character recognition could read',
    ],
    [
      'an encrypted PDF',
      makePdf({
        pages: [['x']],
        objects: [`<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <${'ab'.repeat(32)}> /U <${'cd'.repeat(32)}> >>`],
        trailer: '/Encrypt 100 0 R /ID [<00><00>]',
      }),
      'a.pdf',
      {},
      'TOOL_FAILED',
      'it is encrypted; remove its password first',
    ],
    [
      'a PDF that unpacks to too much',
      makePdf({ pages: [['x']], content: deflateSync(Buffer.alloc(3_000_000, 32)) }),
      'a.pdf',
      { unpacked_bytes: 1_000_000 },
      'LIMIT_EXCEEDED',
      'one of its parts unpacks to more than 1000000 bytes',
    ],
    [
      'a PDF packed twice that unpacks to too much',
      makePdf({ pages: [['x']], content: deflateSync(deflateSync(Buffer.alloc(3_000_000, 32))), filter: '[/FlateDecode /FlateDecode]' }),
      'a.pdf',
      { unpacked_bytes: 1_000_000 },
      'LIMIT_EXCEEDED',
      'one of its parts unpacks to more than 1000000 bytes',
    ],
    ['a PDF of too many pages', PDF, 'a.pdf', { pages: 2 }, 'LIMIT_EXCEEDED', 'it has 3 pages, more than 2'],
    ['a DOCX that is cut off', DOCX.subarray(0, 700), 'a.docx', {}, 'TOOL_FAILED', 'it is damaged'],
    [
      'a DOCX that unpacks to too much',
      makeDocx(paragraph('x'.repeat(3_000_000))),
      'a.docx',
      { unpacked_bytes: 1_000_000 },
      'LIMIT_EXCEEDED',
      'its text unpacks to more than 1000000 bytes',
    ],
    [
      'a DOCX with entities',
      makeDocx(paragraph('&b;'), {}, '<!DOCTYPE d [<!ENTITY b "bbb">]>'),
      'a.docx',
      {},
      'TOOL_FAILED',
      'its part word/document.xml declares entities',
    ],
    [
      'an encrypted DOCX',
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from('EncryptedPackage', 'utf16le')]),
      'a.docx',
      {},
      'TOOL_FAILED',
      'it is encrypted; remove its password first',
    ],
    ['an old Word document', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'a.doc', {}, 'TOOL_FAILED', 'it is a document of an old Office format'],
    ['JSON nested deep', Buffer.from(`${'['.repeat(500)}{"a":1}${']'.repeat(500)}`), 'a.json', {}, 'TOOL_FAILED', 'its values are nested deeper than 200'],
    ['HTML nested deep', Buffer.from('<div>'.repeat(300_000)), 'a.html', {}, 'TOOL_FAILED', 'its elements are nested deeper than 512'],
    ['too many bytes', Buffer.alloc(2_000, 97), 'a.txt', { bytes: 1_000 }, 'LIMIT_EXCEEDED', 'it has 2000 bytes, more than the 1000 that are read at most'],
    [
      'too many characters',
      Buffer.alloc(2_000, 97),
      'a.txt',
      { characters: 1_000 },
      'LIMIT_EXCEEDED',
      'its text has 2000 characters, more than the 1000 that are taken',
    ],
    ['what takes too long', Buffer.from('<p>x'.repeat(500_000)), 'a.html', { ms: 20 }, 'TIMEOUT', 'reading it took longer than 20 ms'],
  ])('%s', async (_, bytes, name, limits, code, message) => {
    await expect(read(bytes, name, undefined, limits)).rejects.toMatchObject({ code, message: expect.stringContaining(`${name}: ${message}`) });
  });

  it('a lie about sizes unpacks no more than it says', async () => {
    const docx = makeDocx(paragraph('x'.repeat(3_000_000)));
    for (let at = 0; at < docx.length - 46; at++) {
      const mark = docx.readUInt32LE(at);
      if (mark === 0x02014b50 && docx.toString('latin1', at + 46).startsWith('word/document.xml')) docx.writeUInt32LE(1_000, at + 24);
    }
    await expect(read(docx, 'a.docx', undefined, { unpacked_bytes: 1_000_000 })).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringContaining('it is damaged'),
    });
  });

  it('scripts, forms and attachments of a PDF are no part of its text', async () => {
    const pdf = makePdf({
      pages: [['Visible']],
      catalog: '/OpenAction 100 0 R /Names << /EmbeddedFiles << /Names [(evil.exe) 101 0 R] >> >>',
      objects: ['<< /S /JavaScript /JS (app.alert\\(1\\); while\\(true\\){}) >>', '<< /Type /Filespec /F (evil.exe) >>'],
    });
    expect((await read(pdf, 'a.pdf')).text).toBe('Visible');
  });

  it('macros and embedded files of a DOCX are no part of its text', async () => {
    const docx = makeDocx(paragraph('Visible'), { 'word/vbaProject.bin': new Uint8Array(1_000), 'word/embeddings/a.bin': 'evil', 'word/media/x.png': 'evil' });
    expect((await read(docx, 'a.docx', undefined, { unpacked_bytes: 5_000 })).text).toBe('Visible');
  });

  it('a cancelled call ends reading', async () => {
    const abort = new AbortController();
    const reading = readDocument({ bytes: PDF, name: 'a.pdf' }, { signal: abort.signal, run });
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
