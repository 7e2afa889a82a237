import { expect, it } from 'vitest';
import { cutEntry } from '../../src/log/cut.ts';

it('a short entry is logged as it is', () => {
  const fields = { a: [1, 'x', null, { b: new Uint8Array(3) }], c: 2n ** 60n };
  expect(cutEntry('message', fields)).toEqual({ message: 'message', fields });
});

it('of a long entry the beginning is logged, and how much it was', () => {
  const long = 'm'.repeat(70_000);
  const { message, fields } = cutEntry(long, { text: long, more: 1, bytes: new Uint8Array(70_000), rest: 1 });
  expect(message).toBe(`${long.slice(0, 65_536)}… (70000 characters)`);
  expect(fields).toEqual({ text: expect.stringMatching(/^m{65,}… \(70000 characters\)$/), '…': '4 fields' });
  const items = cutEntry('', { bytes: new Uint8Array(70_000), items: Array(100_000).fill(0) }).fields;
  expect(items).toEqual({ bytes: '… (70000 bytes)', items: expect.arrayContaining([0, '… (100000 items)']) });
  expect((items.items as unknown[]).length).toBeLessThan(5_000);
});
