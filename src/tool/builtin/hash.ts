import { createHash } from '../../call/digest.ts';
import { hashed, hmac } from '../../call/hashing.ts';
import { bytes, textOrBytes } from '../../call/schema.ts';
import { whenReady } from '../../call/soon.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Cryptographic hashes. */
export const hash = defineTool(
  {
    name: 'hash',
    description: 'Computes a cryptographic hash of text or bytes',
    category: 'text',
    effect: 'pure',
    tags: ['checksum', 'sha256'],
    input: z.strictObject({
      data: textOrBytes,
      algorithm: z.enum(['md5', 'sha1', 'sha256', 'sha384', 'sha512']).default('sha256'),
      key: bytes.optional().describe('makes it an HMAC'),
      encoding: z.enum(['hex', 'base64', 'base64url']).default('hex'),
    }),
    output: z.object({ hash: z.string(), algorithm: z.string() }),
    examples: [{ lua: `print(Tool.execute("hash", {data = "hello"}).hash)`, javascript: `print(Tool.execute("hash", {data: "hello"}).hash)` }],
    execute({ data, algorithm, key, encoding }, { run }) {
      const made = key ? hmac(run.cpu, algorithm, key) : createHash(algorithm);
      return whenReady(made, (hash) => whenReady(hashed(run.cpu, hash, data), () => ({ hash: hash.digest(encoding), algorithm })));
    },
  },
  'builtin',
);
