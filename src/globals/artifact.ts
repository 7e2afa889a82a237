import { isUtf8 } from 'node:buffer';
import { artifactVersions, deleteArtifact, findArtifact, listArtifacts, queryArtifacts, storeArtifact } from '../artifact/artifact.ts';
import { storeFile } from '../artifact/file.ts';
import { readArtifact } from '../artifact/read.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { anyMap, bytes } from '../call/schema.ts';
import { whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';

/** What is known of an artifact, for results. */
export const artifactInfo = z.object({
  id: z.string(),
  session_id: z.string(),
  name: z.string(),
  type: z.string(),
  version: z.int(),
  size: z.int().describe('of the content, bytes'),
  content_hash: z.string().describe('SHA-256 of the content, hex'),
  created_at: z.number().describe('ms since 1970'),
  metadata: anyMap,
});
const stored = z.object({ id: z.string(), content_hash: z.string(), size: z.int(), version: z.int() });

const session_id = z.string();
const type = z.string().describe('what it is, such as report or text/markdown: 1 to 128 of A-Za-z0-9_.+/-');
const name = z.string().describe('1 to 128 letters, digits, spaces and any of _.,()+@=#&~-; anything else is refused');

const NEW = {
  lua: 'local session = Session.create()\nlocal made = Artifact.store(session, "report", "findings.md", "# Findings", {author = "ada"})\n',
  javascript: 'const session = Session.create()\nconst made = Artifact.store(session, "report", "findings.md", "# Findings", {author: "ada"})\n',
};
const example = (lua: string, javascript = lua) => [{ lua: NEW.lua + lua, javascript: NEW.javascript + javascript }];

/** Files that belong to sessions. */
export const artifactGlobal = builtinGlobal({
  name: 'Artifact',
  doc: 'What scripts and agents make in a session: bytes with a name, a type and metadata, in versions. Equal content is stored once per tenant, compressed where that helps, and checked against its SHA-256 whenever it is read.',
  methods: {
    store: method({
      doc: 'Stores content as the next version of a name in an active session.',
      params: { session_id, type, name, content: bytes, metadata: anyMap.optional() },
      result: stored,
      effect: 'write',
      examples: example(`print(made.size, made.version)`),
      handler: ({ session_id, type, name, content, metadata }, context) =>
        whenReady(storeArtifact(context, { session_id, type, name, metadata }, content), shortOf),
    }),
    store_file: method({
      doc: 'Stores a file that the run may read, under its own name; it may be larger than the memory of the script.',
      params: { session_id, path: z.string(), type, metadata: anyMap.optional() },
      result: stored,
      effect: 'write',
      examples: [
        {
          lua: `Tool.execute("file_write", {path = "notes.txt", content = "Hello"})\nprint(Artifact.store_file(Session.create(), "notes.txt", "text/plain").size)`,
          javascript: `Tool.execute("file_write", {path: "notes.txt", content: "Hello"})\nprint(Artifact.store_file(Session.create(), "notes.txt", "text/plain").size)`,
        },
      ],
      handler: async ({ session_id, path, type, metadata }, context) => shortOf(await storeFile(context, session_id, path, type, metadata)),
    }),
    get: method({
      doc: 'An artifact with its content, by its id or by its name, then the highest version or the one given; nil when there is none. `content` is bytes, or text with `encoding = "text"`; `offset` and `length` give part of it. Damaged content raises STORE_FAILED.',
      params: {
        session_id,
        id: z.string().describe('id or name'),
        options: z
          .strictObject({
            version: z.int().min(1).optional(),
            encoding: z.enum(['bytes', 'text']).default('bytes'),
            offset: z.int().min(0).optional().describe('bytes'),
            length: z.int().min(0).optional().describe('bytes; up to 15 MB'),
          })
          .prefault({}),
      },
      result: artifactInfo.extend({ content: z.union([z.string(), bytes]) }).nullable(),
      effect: 'read',
      examples: example(
        `print(Artifact.get(session, "findings.md", {encoding = "text"}).content)`,
        `print(Artifact.get(session, "findings.md", {encoding: "text"}).content)`,
      ),
      handler: ({ session_id, id, options: { version, encoding, ...range } }, context) =>
        whenReady(findArtifact(context, session_id, id, version), (found) => {
          if (!found) return null;
          return whenReady(readArtifact(context, found, range), (content) => ({
            ...found,
            content: encoding === 'text' ? textOf(context.method, found.name, content) : content,
          }));
        }),
    }),
    list: method({
      doc: 'The artifacts of a session, newest first: the highest version of each name, or with `all_versions` every one. An unknown session has none.',
      params: { session_id, options: z.strictObject({ all_versions: z.boolean().optional() }).default({}) },
      result: z.array(artifactInfo),
      effect: 'read',
      examples: example(`print(Artifact.list(session)[1].name)`, `print(Artifact.list(session)[0].name)`),
      handler: ({ session_id, options: { all_versions = false } }, context) => listArtifacts(context, session_id, { all_versions }),
    }),
    query: method({
      doc: "Artifacts of all the tenant's sessions that fit everything given, newest first, at most `limit` (100 if not given).",
      params: {
        query: z
          .strictObject({
            session_id: session_id.optional(),
            type: z.string().optional(),
            name: z.string().optional(),
            content_hash: z.string().optional(),
            metadata: anyMap.optional().describe('fields with the values that they must have, of 64 kB at most'),
            created_from: z.number().optional().describe('ms since 1970'),
            created_before: z.number().optional().describe('ms since 1970'),
            latest: z.boolean().optional().describe('only the highest version of each name'),
            limit: z.int().min(1).max(10_000).optional(),
          })
          .default({}),
      },
      result: z.array(artifactInfo),
      effect: 'read',
      examples: example(
        `print(#Artifact.query({type = "report", metadata = {author = "ada"}}))`,
        `print(Artifact.query({type: "report", metadata: {author: "ada"}}).length)`,
      ),
      handler: ({ query }, context) => queryArtifacts(context, query),
    }),
    delete: method({
      doc: 'Deletes one version by its id; says whether it was there. Its content goes with the last artifact of the tenant that has it.',
      params: { session_id, id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: example(`print(Artifact.delete(session, made.id), Artifact.delete(session, made.id))`),
      handler: ({ session_id, id }, context) => deleteArtifact(context, session_id, id),
    }),
    versions: method({
      doc: 'The versions of a name that are there, lowest first.',
      params: { session_id, name },
      result: z.array(artifactInfo),
      effect: 'read',
      examples: example(
        `Artifact.store(session, "report", "findings.md", "# Better findings")\nprint(#Artifact.versions(session, "findings.md"))`,
        `Artifact.store(session, "report", "findings.md", "# Better findings")\nprint(Artifact.versions(session, "findings.md").length)`,
      ),
      handler: ({ session_id, name }, context) => artifactVersions(context, session_id, name),
    }),
  },
});

function shortOf({ id, content_hash, size, version }: z.output<typeof stored>): z.output<typeof stored> {
  return { id, content_hash, size, version };
}

function textOf(method: string, name: string, content: Uint8Array): string {
  if (!isUtf8(content)) throw new ScriptError('BAD_ARGUMENT', `${method}: encoding: ${name} is no UTF-8 text; get it as "bytes"`);
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
}
