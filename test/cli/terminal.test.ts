import { expect, it, vi } from 'vitest';
import { print, printTable, warn } from '../../src/cli/data.ts';

const HOSTILE = 'a\x1b]52;c;QQ==\x07\u202eb';
const SHOWN = 'a\\u{1b}]52;c;QQ==\\u{7}\\u{202e}b';

/** What goes to a stream that is, or is not, a terminal. */
function written(stream: NodeJS.WriteStream, isTTY: boolean, work: () => void): string {
  const before = Object.getOwnPropertyDescriptor(stream, 'isTTY');
  const write = vi.spyOn(stream, 'write').mockReturnValue(true);
  Object.defineProperty(stream, 'isTTY', { value: isTTY, configurable: true });
  try {
    work();
    return write.mock.calls.map(([text]) => text).join('');
  } finally {
    write.mockRestore();
    if (before) Object.defineProperty(stream, 'isTTY', before);
    else Reflect.deleteProperty(stream, 'isTTY');
  }
}

it.each([
  ['a line', process.stdout, () => print(HOSTILE)],
  ['a complaint', process.stderr, () => warn(HOSTILE)],
  ['a row', process.stdout, () => printTable([[HOSTILE]])],
])('shows what a terminal would obey in %s, and gives it to a pipe as it is', (_, stream, work) => {
  expect(written(stream, true, work)).toBe(`${SHOWN}\n`);
  expect(written(stream, false, work)).toBe(`${HOSTILE}\n`);
});

it('keeps a row on one line', () => {
  expect(written(process.stdout, false, () => printTable([['x\ny', '1']]))).toBe('x\\ny  1\n');
});
