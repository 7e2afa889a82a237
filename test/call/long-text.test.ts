import { describe, expect, it } from 'vitest';
import { Cpu } from '../../src/call/cpu.ts';
import { bytesSoon, TEXT_PIECE, TextReading, textSoon } from '../../src/call/long-text.ts';
import { turnsDuring } from '../support/turns.ts';

const PIECES = 4;
const TEXTS: Readonly<Record<string, string>> = {
  nothing: '',
  'a short one': 'ä€😀',
  ASCII: 'plain text\n'.repeat((PIECES * TEXT_PIECE) / 11),
  'Latin-1': 'äöü'.repeat((PIECES * TEXT_PIECE) / 3),
  'two and three bytes': 'xä€'.repeat((PIECES * TEXT_PIECE) / 3),
  pairs: 'x😀'.repeat((PIECES * TEXT_PIECE) / 3),
};

/** Reads from the middle of a buffer and counts the steps. */
function read(bytes: Uint8Array, lossy = false): { text: string | undefined; steps: number } {
  const around = Buffer.concat([Buffer.from('«'), bytes, Buffer.from('»')]);
  const reading = new TextReading(() => around, 2, around.length - 2, lossy);
  let steps = 1;
  while (!reading.step()) steps++;
  return { text: reading.text, steps };
}

describe.each(Object.entries(TEXTS))('a text of its bytes, and its bytes: %s', (_, text) => {
  it('are the same as at once', async () => {
    const bytes = Buffer.from(text);
    const { text: found, steps } = read(bytes);
    expect(found === text).toBe(true);
    if (text.length > TEXT_PIECE) expect(steps).toBeGreaterThan(PIECES);
    expect(read(bytes, true).text === text).toBe(true);
    expect(bytes.equals(await bytesSoon(new Cpu(), text))).toBe(true);
  });
});

it.each([
  ['bytes that begin nothing', [0x80]],
  ['a character without its end', [0xf0, 0x9f, 0x98]],
  ['bytes too many', [0xf0, 0x9f, 0x98, 0x80, 0x80, 0x80, 0x80, 0x80]],
  ['half of a pair', [0xed, 0xa0, 0x80]],
])('what is no UTF-8 is no text, or replaced as at once, wherever a piece ends: %s', (_, wrong) => {
  for (let before = TEXT_PIECE - 9; before < TEXT_PIECE + 2; before++) {
    const bytes = Buffer.concat([Buffer.alloc(before, 'x'), Buffer.from(wrong), Buffer.alloc(TEXT_PIECE, 'x')]);
    expect(read(bytes).text).toBeUndefined();
    expect(read(bytes, true).text === bytes.toString('utf8')).toBe(true);
  }
});

it('half of a surrogate pair becomes a replacement character, and no pair is divided', async () => {
  for (const text of ['\ud800', `${'x'.repeat(TEXT_PIECE - 1)}😀\udc00`, `${'x'.repeat(TEXT_PIECE - 1)}\ud800y`])
    expect(Buffer.from(text).equals(await bytesSoon(new Cpu(), text))).toBe(true);
});

it('others have their turns meanwhile, and none where the text is short', async () => {
  const text = 'xä€'.repeat(5 * 2 ** 20);
  const bytes = Buffer.from(text);
  for (const work of [(size: number) => textSoon(new Cpu(), bytes.subarray(0, size * 2)), (size: number) => bytesSoon(new Cpu(), text.slice(0, size))]) {
    await work(text.length);
    const { turns: few } = await turnsDuring(() => work(3));
    expect((await turnsDuring(() => work(text.length))).turns).toBeGreaterThan(few);
  }
});
