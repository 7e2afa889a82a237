import type { Case } from '../conformance/case.ts';
import { makeDocx, paragraph } from '../support/docx.ts';
import { makePdf } from '../support/pdf.ts';

const pdf = new Uint8Array(makePdf({ title: 'Ada', pages: [['One'], ['Two']] }));
const docx = new Uint8Array(makeDocx(paragraph('Report', true) + paragraph('Well.')));

/** Documents as scripts read them. */
export const cases: readonly Case[] = [
  {
    name: 'pdf_text reads bytes page by page',
    input: pdf,
    lua: `local r = Tool.execute("pdf_text", {data = INPUT, first_page = 2}) return {r.title, r.text, r.page_count, r.pages[1].page}`,
    js: `const r = Tool.execute("pdf_text", {data: INPUT, first_page: 2}); [r.title, r.text, r.page_count, r.pages[0].page]`,
    expect: ['Ada', 'Two', 2, 2],
  },
  {
    name: 'docx_text reads bytes as Markdown',
    input: docx,
    lua: `local r = Tool.execute("docx_text", {data = INPUT}) return {r.title, r.text}`,
    js: `const r = Tool.execute("docx_text", {data: INPUT}); [r.title, r.text]`,
    expect: ['Report', '# Report\n\nWell.'],
  },
  {
    name: 'a document of another format is refused with one sentence',
    input: docx,
    lua: `Tool.execute("pdf_text", {data = INPUT})`,
    js: `Tool.execute("pdf_text", {data: INPUT})`,
    expect_error: { code: 'TOOL_FAILED', message: 'pdf_text: the document: it is no PDF document; it looks like a DOCX document' },
  },
];
