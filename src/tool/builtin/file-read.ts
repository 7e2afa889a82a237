import { closeSync } from 'node:fs';
import { textSoon } from '../../call/long-text.ts';
import { bytes } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { openForReading } from '../files/access.ts';
import { MOST_FILE_BYTES, readRangeSoon } from '../files/read.ts';
import { defineTool } from '../tool.ts';

/** A file of the allowed folders; relative paths are looked for in them. */
export const fileRead = defineTool(
  {
    name: 'file_read',
    description: 'Reads a file as text or bytes',
    category: 'file',
    tags: ['filesystem'],
    input: z.strictObject({
      path: z.string(),
      encoding: z.enum(['text', 'bytes']).default('text'),
      offset: z.int().min(0).default(0).describe('bytes'),
      length: z.int().min(1).max(MOST_FILE_BYTES).optional().describe('bytes; up to 16 MB'),
    }),
    output: z.object({ content: z.union([z.string(), bytes]), size: z.int().describe('of the whole file, bytes'), path: z.string() }),
    examples: [
      {
        lua: `Tool.execute("file_write", {path = "hello.txt", content = "Hello"})\nprint(Tool.execute("file_read", {path = "hello.txt"}).content)`,
        javascript: `Tool.execute("file_write", {path: "hello.txt", content: "Hello"})\nprint(Tool.execute("file_read", {path: "hello.txt"}).content)`,
      },
    ],
    async execute({ path, encoding, offset, length }, context) {
      const file = openForReading(context, path, 'file');
      try {
        const { size } = file.stats;
        const wanted = length ?? size - offset;
        if (wanted > MOST_FILE_BYTES) throw new ScriptError('LIMIT_EXCEEDED', `file_read: ${path} has ${size} bytes, more than 16 MB; give offset and length`);
        const content = await readRangeSoon(context.run.cpu, file, offset, wanted);
        if (encoding === 'bytes') return { content: new Uint8Array(content.buffer, content.byteOffset, content.length), size, path };
        const text = await textSoon(context.run.cpu, content, length !== undefined);
        if (text === undefined) throw new ScriptError('TOOL_FAILED', `file_read: ${path} is no UTF-8 text; read it with encoding = "bytes"`);
        return { content: text.replace(/^\uFEFF/, ''), size, path };
      } finally {
        closeSync(file.fd);
      }
    },
  },
  'builtin',
);
