import { serialize } from 'node:v8';
import { afterAll, describe, expect, it } from 'vitest';
import { createMethodTable } from '../../src/call/dispatch.ts';
import { globals } from '../../src/globals/index.ts';
import { createJavaScriptImage } from '../../src/script/javascript/image.ts';
import { createLuaImage } from '../../src/script/lua/image.ts';
import { forgetBuilt, keepBuilt, readBuilt } from '../../src/script/wasm/built.ts';
import { imageBasis, imageFile, keptImage } from '../../src/script/wasm/kept.ts';

const standard = createMethodTable(globals, { standard: true });
const plain = createMethodTable(globals);

const code = [`a test of process ${process.pid}`];
const changed = [...code, 'changed'];

const fileOf = (text: readonly string[], table = standard) => imageFile('lua', imageBasis('lua', table, text));
afterAll(() => forgetBuilt(new RegExp([code, changed].map((text) => fileOf(text)).join('|'))));

describe('an image that is kept', () => {
  it.each([
    ['lua', createLuaImage],
    ['javascript', createJavaScriptImage],
  ] as const)('of %s is the one that would be made', (_, create) => {
    create(standard);
    const kept = create(standard);
    const made = create(plain);
    expect({ ...kept, handlePrototypes: 0 }).toEqual({ ...made, handlePrototypes: 0 });
  });

  it('is made once, and again where the file is cut off, of something else, or the code is another', () => {
    let made = 0;
    const image = (text = code) => keptImage('lua', standard, text, () => ({ bytes: new Uint8Array([1, 2, 3]), made: ++made }));
    expect([image().made, image().made]).toEqual([1, 1]);
    const file = fileOf(code);
    keepBuilt(file, (readBuilt(file) as Uint8Array).subarray(0, 10));
    expect([image().made, image().made]).toEqual([2, 2]);
    expect(image(changed).made).toBe(3);
    for (const foreign of [readBuilt(fileOf(changed)) as Uint8Array, serialize({ bytes: 1 }), serialize(null)]) {
      keepBuilt(file, foreign);
      const again = image().made;
      expect([again, image().made, again > 3]).toEqual([again, again, true]);
    }
    expect(fileOf(code, createMethodTable(globals.slice(1)))).not.toBe(file);
  });

  it('is made again where one of a basis as long lies in its place', () => {
    let made = 0;
    const image = (text: string) => keptImage('lua', standard, [...code, text], () => ++made);
    expect(fileOf([...code, 'one'])).toBe(fileOf([...code, 'two']));
    expect([image('one'), image('one'), image('two'), image('two'), image('one')]).toEqual([1, 1, 2, 2, 3]);
    forgetBuilt(new RegExp(fileOf([...code, 'one'])));
  });

  it('is none of a table with globals of a host', () => {
    let made = 0;
    const image = () => keptImage('lua', plain, [], () => ++made);
    expect([image(), image()]).toEqual([1, 2]);
  });
});
