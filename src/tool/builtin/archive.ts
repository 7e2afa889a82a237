import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { defineTool } from '../tool.ts';
import type { ArchiveInput, ArchiveResult } from '../work/archive.ts';

const DEADLINE_MS = 25_000;

/** ZIP and tar archives, read and written in the allowed folders. */
export const archive = defineTool(
  {
    name: 'archive',
    description: 'Lists, extracts and creates ZIP and tar archives',
    category: 'file',
    tags: ['zip', 'tar', 'compress', 'unpack'],
    input: z.strictObject({
      operation: z.enum(['list', 'extract', 'create']),
      path: z.string().describe('the archive'),
      to: z.string().default('.').describe('extract: the folder to put the files in, which is made where it is missing'),
      pattern: z.string().max(1_000).optional().describe('list, extract: a glob for the entries, such as docs/**'),
      files: z.array(z.string()).max(1_000).default([]).describe('create: files and folders; links are left out'),
      format: z.enum(['zip', 'tar', 'tar.gz']).optional().describe('create: by the ending of the path if not given'),
      overwrite: z.boolean().default(false).describe('replace files that exist'),
    }),
    output: z.object({
      format: z.enum(['zip', 'tar', 'tar.gz']),
      entries: z.array(z.object({ path: z.string(), kind: z.enum(['file', 'folder', 'link', 'other']), size: z.int(), modified_at: z.number() })),
      count: z.int(),
      bytes: z.int().describe('of the entries unpacked; create: of the archive'),
    }),
    examples: [
      {
        lua: `Tool.execute("file_write", {path = "a.txt", content = "Hello"})
Tool.execute("archive", {operation = "create", path = "a.zip", files = {"a.txt"}})
Tool.execute("archive", {operation = "extract", path = "a.zip", to = "out"})
print(Tool.execute("file_read", {path = "out/a.txt"}).content)`,
        javascript: `Tool.execute("file_write", {path: "a.txt", content: "Hello"})
Tool.execute("archive", {operation: "create", path: "a.zip", files: ["a.txt"]})
Tool.execute("archive", {operation: "extract", path: "a.zip", to: "out"})
print(Tool.execute("file_read", {path: "out/a.txt"}).content)`,
      },
    ],
    execute(input, context) {
      if (input.operation === 'create' && input.files.length === 0)
        throw new ScriptError('BAD_ARGUMENT', 'archive: files: expected at least one file or folder');
      const { read, write } = context.run.grants;
      const given: ArchiveInput = {
        ...input,
        pattern: input.pattern,
        format: input.format,
        caller: { method: context.method, run: { grants: { read, write } } },
      };
      return beside<ArchiveResult>(context, new URL('../work/archive.ts', import.meta.url), given, { deadlineMs: DEADLINE_MS });
    },
  },
  'builtin',
);
