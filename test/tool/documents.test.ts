import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tools } from '../../src/tool/registry.ts';
import { makeDocx, paragraph } from '../support/docx.ts';
import { makePdf } from '../support/pdf.ts';
import { testHost, testRun } from '../support/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-documents-'));
const PDF = makePdf({ title: 'Ada', pages: [['One'], ['Two', 'more'], ['Three']] });
const DOCX = makeDocx(paragraph('Report', true) + paragraph('Well.'));
writeFileSync(join(folder, 'a.pdf'), PDF);
writeFileSync(join(folder, 'a.docx'), DOCX);
writeFileSync(join(folder, 'named.txt'), PDF);

const host = testHost();
function tool(name: string, input: Record<string, unknown>) {
  const { run, context } = testRun({ host, grants: { read: [folder] } });
  return Promise.resolve(run.get(tools).execute(context, name, input as never));
}

describe('pdf_text', () => {
  it('reads a file, whatever its name, or bytes', async () => {
    const whole = {
      text: 'One\n\nTwo\nmore\n\nThree',
      title: 'Ada',
      page_count: 3,
      truncated: false,
      pages: [
        { page: 1, text: 'One' },
        { page: 2, text: 'Two\nmore' },
        { page: 3, text: 'Three' },
      ],
    };
    expect(await tool('pdf_text', { path: 'a.pdf' })).toEqual(whole);
    expect(await tool('pdf_text', { path: 'named.txt' })).toEqual(whole);
    expect(await tool('pdf_text', { data: new Uint8Array(PDF) })).toEqual(whole);
  });

  it('reads some pages, and so much of them', async () => {
    expect(await tool('pdf_text', { path: 'a.pdf', first_page: 2, last_page: 2 })).toMatchObject({ text: 'Two\nmore', pages: [{ page: 2 }], page_count: 3 });
    expect(await tool('pdf_text', { path: 'a.pdf', first_page: 2, max_characters: 10 })).toMatchObject({
      text: 'Two\nmore\n\n',
      truncated: true,
      pages: [
        { page: 2, text: 'Two\nmore' },
        { page: 3, text: '' },
      ],
    });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{}, 'BAD_ARGUMENT', 'pdf_text: expected path or data'],
    [{ path: 'a.pdf', data: 'x' }, 'BAD_ARGUMENT', 'pdf_text: expected path or data'],
    [{ path: 'a.pdf', first_page: 4 }, 'BAD_ARGUMENT', 'pdf_text: expected pages within 1 to 3, got 4 to 3'],
    [{ path: 'a.docx' }, 'TOOL_FAILED', 'pdf_text: a.docx: it is no PDF document; it looks like a DOCX document'],
    [{ path: 'none.pdf' }, 'NOT_FOUND', 'pdf_text: none.pdf: there is no such file or folder'],
    [{ path: '../a.pdf' }, 'NOT_ALLOWED', 'pdf_text: ../a.pdf is outside the folders that this run may read (grants.read or --allow-read DIR)'],
  ])('%j is one sentence', async (input, code, message) => {
    await expect(tool('pdf_text', input)).rejects.toMatchObject({ code, message });
  });
});

describe('docx_text', () => {
  it('reads a file or bytes as Markdown', async () => {
    const whole = { text: '# Report\n\nWell.', title: 'Report', truncated: false };
    expect(await tool('docx_text', { path: 'a.docx' })).toEqual(whole);
    expect(await tool('docx_text', { data: new Uint8Array(DOCX) })).toEqual(whole);
    expect(await tool('docx_text', { path: 'a.docx', max_characters: 5 })).toMatchObject({ text: '# Rep', truncated: true });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ path: 'a.pdf' }, 'TOOL_FAILED', 'docx_text: a.pdf: it is no DOCX document; it looks like a PDF document'],
    [{ path: '/etc/passwd' }, 'NOT_ALLOWED', 'docx_text: /etc/passwd is outside the folders that this run may read (grants.read or --allow-read DIR)'],
  ])('%j is one sentence', async (input, code, message) => {
    await expect(tool('docx_text', input)).rejects.toMatchObject({ code, message });
  });
});
