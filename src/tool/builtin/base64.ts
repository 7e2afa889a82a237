import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { inTurns } from '../../call/breath.ts';
import type { Cpu } from '../../call/cpu.ts';
import { bytes } from '../../call/schema.ts';
import { type Soon, whenReady } from '../../call/soon.ts';
import { ScriptError } from '../../errors.ts';
import { defineTool } from '../tool.ts';

/** Bytes that are encoded or decoded between two looks at the clock; whole groups of three, and of four letters. */
const PIECE = 3 * 4 * 2 ** 14;

/** Base64 (RFC 4648). */
export const base64 = defineTool(
  {
    name: 'base64',
    description: 'Encodes and decodes Base64',
    category: 'text',
    effect: 'pure',
    tags: ['encoding'],
    input: z.strictObject({ operation: z.enum(['encode', 'decode']), data: bytes, url_safe: z.boolean().default(false) }),
    output: z.object({ data: z.union([z.string(), bytes]).describe('decoded bytes are text where they are UTF-8') }),
    examples: [
      {
        lua: `print(Tool.execute("base64", {operation = "encode", data = "hello"}).data)`,
        javascript: `print(Tool.execute("base64", {operation: "encode", data: "hello"}).data)`,
      },
    ],
    execute({ operation, data, url_safe }, { run }) {
      const given = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      if (operation === 'encode') return encode(run.cpu, given, url_safe ? 'base64url' : 'base64');
      return decode(run.cpu, given);
    },
  },
  'builtin',
);

function encode(cpu: Cpu, given: Buffer, encoding: 'base64' | 'base64url'): Soon<{ data: string }> {
  let at = 0;
  let data = '';
  const step = () => {
    data += given.toString(encoding, at, at + PIECE);
    at += PIECE;
    return at >= given.length;
  };
  return whenReady(inTurns(cpu, step), () => ({ data }));
}

function decode(cpu: Cpu, given: Buffer): Soon<{ data: string | Uint8Array }> {
  const bytes = Buffer.allocUnsafe(Math.ceil((given.length * 3) / 4));
  let [at, written, letters] = [0, 0, 0];
  /** Letters of a group that goes on in the next piece, and whether the closing signs have begun. */
  let begun = '';
  let padding = '';
  const step = () => {
    const text = given.toString('latin1', at, at + PIECE).replaceAll(/\s/g, '');
    const own = padding === '' ? (/^[A-Za-z0-9+/_-]*/.exec(text)?.[0] ?? '') : '';
    padding += text.slice(own.length);
    if (!/^={0,2}$/.test(padding)) throw new ScriptError('BAD_ARGUMENT', 'base64: data: expected Base64 text');
    letters += own.length;
    at += PIECE;
    const last = at >= given.length;
    const whole = begun + own;
    const end = last ? whole.length : whole.length - (whole.length % 4);
    written += bytes.write(whole.slice(0, end), written, 'base64');
    begun = whole.slice(end);
    return last;
  };
  return whenReady(inTurns(cpu, step), () => {
    if (letters % 4 === 1) throw new ScriptError('BAD_ARGUMENT', 'base64: data: expected Base64 text');
    const decoded = bytes.subarray(0, written);
    return { data: isUtf8(decoded) ? decoded.toString('utf8') : new Uint8Array(decoded) };
  });
}
