import { isUtf8 } from 'node:buffer';
import { bytes, textOrBytes } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Base64 (RFC 4648). */
export const base64 = defineTool(
  {
    name: 'base64',
    description: 'Encodes and decodes Base64',
    category: 'text',
    effect: 'pure',
    tags: ['encoding'],
    input: z.strictObject({ operation: z.enum(['encode', 'decode']), data: textOrBytes, url_safe: z.boolean().default(false) }),
    output: z.object({ data: z.union([z.string(), bytes]).describe('decoded bytes are text where they are UTF-8') }),
    examples: [
      {
        lua: `print(Tool.execute("base64", {operation = "encode", data = "hello"}).data)`,
        javascript: `print(Tool.execute("base64", {operation: "encode", data: "hello"}).data)`,
      },
    ],
    execute({ operation, data, url_safe }) {
      const given = () => (typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      if (operation === 'encode') return { data: given().toString(url_safe ? 'base64url' : 'base64') };
      const text = (typeof data === 'string' ? data : given().toString('latin1')).replaceAll(/\s/g, '');
      if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1)
        throw new ScriptError('BAD_ARGUMENT', 'base64: data: expected Base64 text');
      const decoded = Buffer.from(text, 'base64');
      return { data: isUtf8(decoded) ? decoded.toString('utf8') : new Uint8Array(decoded) };
    },
  },
  'builtin',
);
