import { inTurns } from '../../call/breath.ts';
import type { Cpu } from '../../call/cpu.ts';
import { bytesSoon, textSoon } from '../../call/long-text.ts';
import { bytes, textOrBytes } from '../../call/schema.ts';
import { type Soon, whenReady } from '../../call/soon.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Bytes or characters that are worked on at once: less than a millisecond's work. Three bytes are four characters. */
const PIECE = 3 * 2 ** 16;

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
    execute({ operation, data, url_safe }, { run: { cpu } }) {
      const given = typeof data === 'string' ? undefined : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      if (operation === 'encode')
        return whenReady(given ?? bytesSoon(cpu, data as string), (plain) =>
          whenReady(encode(cpu, plain, url_safe ? 'base64url' : 'base64'), (text) => ({ data: text })),
        );
      const decoding = new Decoding(given?.toString('latin1') ?? (data as string));
      return whenReady(inTurns(cpu, decoding.step), () =>
        whenReady(textSoon(cpu, decoding.bytes), (text) => ({ data: text ?? new Uint8Array(decoding.bytes) })),
      );
    },
  },
  'builtin',
);

function encode(cpu: Cpu, bytes: Uint8Array, encoding: 'base64' | 'base64url'): Soon<string> {
  const text = Buffer.allocUnsafeSlow(Math.ceil(bytes.length / 3) * 4);
  let from = 0;
  let written = 0;
  const step = () => {
    written += text.latin1Write(Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(PIECE, bytes.length - from)).toString(encoding), written);
    from += PIECE;
    return from >= bytes.length;
  };
  return whenReady(inTurns(cpu, step), () => textSoon(cpu, text.subarray(0, written)) as Soon<string>);
}

/** A text on its way to the bytes that it stands for. */
class Decoding {
  readonly #text: string;
  readonly #out: Buffer;
  #from = 0;
  #size = 0;
  /** The last characters before `#from`: groups of four are whole, and padding is at the very end. */
  #rest = '';

  constructor(text: string) {
    this.#text = text;
    this.#out = Buffer.allocUnsafeSlow(Math.ceil((text.length * 3) / 4));
  }

  /** Decodes a piece; true when it was the last. Throws BAD_ARGUMENT for what is no Base64. */
  readonly step = (): boolean => {
    const to = this.#from + PIECE;
    const last = to >= this.#text.length;
    const piece = this.#rest + this.#text.slice(this.#from, to).replaceAll(/\s/g, '');
    const whole = last ? piece.length : Math.max(0, piece.length - (piece.length % 4) - 4);
    this.#decode(piece.slice(0, whole), last);
    this.#rest = piece.slice(whole);
    this.#from = to;
    return last;
  };

  #decode(text: string, last: boolean): void {
    const fits = last ? /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1 : /^[A-Za-z0-9+/_-]*$/.test(text);
    if (!fits) throw new ScriptError('BAD_ARGUMENT', 'base64: data: expected Base64 text');
    this.#size += this.#out.write(text, this.#size, 'base64');
  }

  get bytes(): Buffer {
    return this.#out.subarray(0, this.#size);
  }
}
