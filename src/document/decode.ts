import { isUtf8 } from 'node:buffer';
import { unreadable } from './document.ts';

/** Bytes looked at to tell text from rubbish. */
const LOOKED_AT = 65_536;
/** Control characters among so many bytes at most, beyond which it is no text. */
const PER_CONTROL = 200;

/**
 * The text of bytes: by its byte order mark, as UTF-8 if it is that, by the charset that came with it, as UTF-16 if every other byte says so, else as
 * Latin-1 (Windows-1252). Line ends become line feeds. Throws TOOL_FAILED for what is no text.
 */
export function decodeText(bytes: Uint8Array, name: string, charset?: string): string {
  const text = decoderOf(bytes, name, charset).decode(bytes);
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}

function decoderOf(bytes: Uint8Array, name: string, charset: string | undefined): TextDecoder {
  const marked = byMark(bytes);
  if (marked !== undefined) return new TextDecoder(marked);
  if (isUtf8(bytes) && !bytes.subarray(0, LOOKED_AT).includes(0)) {
    refuseControls(bytes, name);
    return new TextDecoder('utf-8');
  }
  const wide = withoutMark(bytes);
  if (wide !== undefined) return new TextDecoder(wide);
  refuseControls(bytes, name);
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    try {
      return new TextDecoder(charset);
    } catch {
      throw unreadable(name, `its character encoding ${JSON.stringify(charset.slice(0, 40))} is not known`);
    }
  }
  return new TextDecoder('windows-1252');
}

function byMark([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined;
}

/** UTF-16 without a mark: most of the even or of the odd bytes are zero, and no other. */
function withoutMark(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, LOOKED_AT) & ~1;
  if (length < 4 || bytes.length % 2 === 1) return undefined;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < length; at += 2) {
    if (bytes[at] === 0) even++;
    if (bytes[at + 1] === 0) odd++;
  }
  if (even === 0 && odd > length / 4) return 'utf-16le';
  return odd === 0 && even > length / 4 ? 'utf-16be' : undefined;
}

function refuseControls(bytes: Uint8Array, name: string): void {
  let controls = 0;
  const looked = bytes.subarray(0, LOOKED_AT);
  for (const byte of looked) {
    if (byte === 0) controls += PER_CONTROL;
    else if ((byte < 32 && (byte < 9 || byte > 13) && byte !== 27) || byte === 127) controls++;
  }
  if (controls * PER_CONTROL > Math.max(looked.length, PER_CONTROL)) throw unreadable(name, 'it is neither text nor a document of a known format');
}
