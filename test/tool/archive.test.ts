import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readTar, writeTar } from '../../src/tool/archive/tar.ts';
import { readZip, writeZip } from '../../src/tool/archive/zip.ts';
import { workspace } from '../support/workspace.ts';

const work = workspace();
afterAll(() => work[Symbol.dispose]());
let count = 0;
/** A new name for an archive with these bytes. */
function archive(bytes: Uint8Array, ending = 'zip'): string {
  const name = `archive-${++count}.${ending}`;
  writeFileSync(join(work.inside, name), bytes);
  return name;
}
const extract = (path: string, to = `out-${++count}`) => work.tool('archive', { operation: 'extract', path, to }).then((result) => ({ result, to }));
const refused = (path: string, to = `out-${++count}`) => work.refusal('archive', { operation: 'extract', path, to }).then((error) => ({ error, to }));

interface Crafted {
  readonly path: string;
  readonly content?: Buffer;
  /** Unix mode with its file type. */
  readonly mode?: number;
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
  readonly localPath?: string;
  readonly method?: number;
}

const X = Buffer.from('x');

/** A ZIP archive byte by byte, so that it can lie. */
function craftZip(entries: readonly Crafted[], share = false): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  const packedOnce = new Map<Buffer, Buffer>();
  let at = 0;
  for (const { path, content = X, mode = 0, flags = 0x800, localPath = path, ...lies } of entries) {
    const packed = packedOnce.get(content) ?? deflateRawSync(content);
    packedOnce.set(content, packed);
    const [name, localName] = [Buffer.from(path), Buffer.from(localPath)];
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(flags, 2);
    fixed.writeUInt16LE(lies.method ?? 8, 4);
    fixed.writeUInt32LE(lies.crc ?? crc32(content), 10);
    fixed.writeUInt32LE(packed.length, 14);
    fixed.writeUInt32LE(lies.size ?? content.length, 18);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fixed, localName, packed]);
    local.writeUInt16LE(localName.length, 26);
    const central = Buffer.alloc(46);
    central.write('PK\u0001\u0002', 0, 'latin1');
    central.writeUInt16LE((3 << 8) | 20, 4);
    fixed.copy(central, 6, 0, 22);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE((mode << 16) >>> 0, 38);
    central.writeUInt32LE(share ? 0 : at, 42);
    if (!share || locals.length === 0) locals.push(local);
    centrals.push(central, name);
    at += local.length;
  }
  const body = Buffer.concat(locals);
  const list = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(body.length, 16);
  return Buffer.concat([body, list, end]);
}

/** One entry of a tar archive with any type and name. */
function craftTar(path: string, type: string, content = Buffer.from('x')): Buffer {
  const tar = writeTar([{ path: 'name', bytes: content, modifiedAt: 0 }]);
  tar.fill(0, 0, 100);
  tar.write(path, 0, 'utf8');
  tar.write(type, 156, 'latin1');
  tar.write('/etc/passwd', 157, 'latin1');
  tar.write('        ', 148, 'latin1');
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

describe('archives', { timeout: 60_000 }, () => {
  it.each(['zip', 'tar', 'tar.gz'])('of the kind %s hold files and folders, and give them back', async (format) => {
    const folder = `source-${++count}`;
    mkdirSync(join(work.inside, folder, 'deep/empty'), { recursive: true });
    writeFileSync(join(work.inside, folder, 'deep', 'ä.txt'), 'Grüße');
    writeFileSync(join(work.inside, folder, `${'long'.repeat(40)}.bin`), Buffer.alloc(100_000, 7));
    symlinkSync('/etc/passwd', join(work.inside, folder, 'link'));
    const path = `made-${count}.${format}`;
    const made = await work.tool('archive', { operation: 'create', path, files: [folder] });
    const listed = await work.tool('archive', { operation: 'list', path });
    const names = [`${folder}/deep/`, `${folder}/deep/empty/`, `${folder}/deep/ä.txt`, `${folder}/${'long'.repeat(40)}.bin`];
    expect((listed.entries as { path: string }[]).map((entry) => entry.path).sort()).toEqual(names);
    expect(listed).toMatchObject({ format, count: 4, bytes: 100_007 });
    expect(made).toMatchObject({ format, count: 4 });
    const { to } = await extract(path);
    expect(readFileSync(join(work.inside, to, folder, 'deep/ä.txt'), 'utf8')).toBe('Grüße');
    expect(readFileSync(join(work.inside, to, folder, `${'long'.repeat(40)}.bin`))).toEqual(Buffer.alloc(100_000, 7));
    expect(readdirSync(join(work.inside, to, folder, 'deep')).sort()).toEqual(['empty', 'ä.txt']);
    expect(existsSync(join(work.inside, to, folder, 'link'))).toBe(false);
  });

  it('keep files that exist unless told otherwise, and give only what the pattern names', async () => {
    const path = archive(craftZip([{ path: 'a.txt', content: Buffer.from('new') }, { path: 'b.md' }]));
    const { to } = await extract(path);
    writeFileSync(join(work.inside, to, 'a.txt'), 'old');
    expect(await work.refusal('archive', { operation: 'extract', path, to })).toMatchObject({ code: 'CONFLICT' });
    expect(readFileSync(join(work.inside, to, 'a.txt'), 'utf8')).toBe('old');
    await work.tool('archive', { operation: 'extract', path, to, overwrite: true });
    expect(readFileSync(join(work.inside, to, 'a.txt'), 'utf8')).toBe('new');
    expect(await work.tool('archive', { operation: 'extract', path, to: 'only', pattern: '*.md' })).toMatchObject({ count: 1 });
    expect(readdirSync(join(work.inside, 'only'))).toEqual(['b.md']);
  });

  it.skipIf(process.platform === 'win32')('of the system can be read, and the system reads ours', async () => {
    mkdirSync(join(work.inside, 'system'));
    writeFileSync(join(work.inside, 'system/a.txt'), 'one');
    writeFileSync(join(work.inside, `system/${'b'.repeat(120)}`), 'two');
    execFileSync('tar', ['-czf', join(work.inside, 'system.tar.gz'), '-C', work.inside, 'system']);
    const { to } = await extract('system.tar.gz');
    expect(readdirSync(join(work.inside, to, 'system'))).toEqual(['a.txt', 'b'.repeat(120)]);
    await work.tool('archive', { operation: 'create', path: 'ours.tgz', files: ['system'] });
    const names = execFileSync('tar', ['-tzf', join(work.inside, 'ours.tgz')], { encoding: 'utf8' });
    expect(names.trim().split('\n').sort()).toEqual(['system/a.txt', `system/${'b'.repeat(120)}`]);
  });

  it('hold any names and bytes', () => {
    const name = fc.stringMatching(/^[a-zé日 ._-]{1,60}(\/[a-z]{1,80}){0,2}$/).filter((path) => !path.split('/').some((part) => part === '.' || part === '..'));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.record({ path: name, bytes: fc.uint8Array({ maxLength: 2_000 }) }), { selector: ({ path }) => path, maxLength: 6 }),
        (files) => {
          const packed = files.map((file) => ({ ...file, modifiedAt: Date.UTC(2024, 1, 29, 12, 30, 2) }));
          for (const entries of [readZip(Buffer.from(writeZip(packed))), readTar(writeTar(packed))]) {
            const back = entries.map(({ path, read, modifiedAt, kind }) => ({ path, bytes: new Uint8Array(read()), modifiedAt, kind }));
            expect(back.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
              packed.map((file) => ({ ...file, kind: 'file' })).sort((a, b) => (a.path < b.path ? -1 : 1)),
            );
          }
        },
      ),
      { numRuns: 30, examples: [[[{ path: '__proto__', bytes: new Uint8Array([1]) }]]] },
    );
  });
});

describe('hostile archives', { timeout: 60_000 }, () => {
  const paths = [
    '../evil.txt',
    'a/../../evil.txt',
    '/evil.txt',
    'C:evil.txt',
    'C:\\evil.txt',
    '..\\evil.txt',
    'a//b',
    'a\0b',
    'a\nb',
    `${'x'.repeat(300)}`,
    '',
    '..',
  ];
  it.each(paths.map((path) => [JSON.stringify(path).slice(0, 30), path]))('with the path %s write nothing', async (_, path) => {
    for (const bytes of [
      craftZip([{ path: 'good.txt' }, { path }]),
      Buffer.concat([
        writeTar([{ path: 'good.txt', bytes: new Uint8Array(), modifiedAt: 0 }]).subarray(0, 512),
        path.includes('\0') || path.length > 99 ? craftTar('../evil.txt', '0') : craftTar(path, '0'),
      ]),
    ]) {
      const { error, to } = await refused(archive(bytes));
      expect(error).toMatchObject({
        code: 'TOOL_FAILED',
        message: expect.stringMatching(/^archive: the entry .* has a path that is not allowed; nothing was extracted$/),
      });
      expect(existsSync(join(work.inside, to))).toBe(false);
      expect(readdirSync(work.outside)).toEqual([]);
    }
  });

  it('with paths that only look hostile are read', async () => {
    const { to } = await extract(archive(craftZip([{ path: './a/./b..c' }, { path: 'win\\dows.txt' }])));
    expect(readdirSync(join(work.inside, to)).sort()).toEqual(['a', 'win']);
  });

  it.each([
    ['a symbolic link of ZIP', () => craftZip([{ path: 'link', content: Buffer.from('/etc/passwd'), mode: 0o120777 }])],
    ['a device of ZIP', () => craftZip([{ path: 'device', mode: 0o020666 }])],
    ['a symbolic link of tar', () => craftTar('link', '2')],
    ['a hard link of tar', () => craftTar('link', '1')],
    ['a pipe of tar', () => craftTar('pipe', '6')],
    ['a device of tar', () => craftTar('device', '3')],
  ])('with %s write nothing, and still can be listed', async (_, make) => {
    const path = archive(make());
    const { error, to } = await refused(path);
    expect(error.message).toMatch(/is a link|is neither a file nor a folder/);
    expect(existsSync(join(work.inside, to))).toBe(false);
    expect(await work.tool('archive', { operation: 'list', path })).toMatchObject({ count: 1 });
  });

  it.each([
    ['packs one entry too well', () => craftZip([{ path: 'bomb', content: Buffer.alloc(60 * 2 ** 20) }])],
    ['says that an entry is larger than allowed', () => craftZip([{ path: 'bomb', size: 2 ** 31 }])],
    ['has too many entries', () => craftZip(Array.from({ length: 10_001 }, (__, at) => ({ path: `f${at}` })))],
    ['is a packed tar that unpacks to too much', () => gzipSync(Buffer.alloc(40 * 2 ** 20))],
    ['has entries that are too much together', () => craftZip(Array.from({ length: 3 }, (__, at) => ({ path: `f${at}`, size: 60 * 2 ** 20 })))],
  ])('that %s are refused', async (_, make) => {
    const { error, to } = await refused(archive(make()));
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(existsSync(join(work.inside, to))).toBe(false);
  });

  it.each([
    ['has entries that share their bytes', () => craftZip([{ path: 'a' }, { path: 'a' }], true), /overlap/],
    ['says less than it holds', () => craftZip([{ path: 'a', content: Buffer.alloc(100_000), size: 10 }]), /longer than it says/],
    ['says more than it holds', () => craftZip([{ path: 'a', size: 10 }]), /shorter than it says/],
    ['fails its checksum', () => craftZip([{ path: 'a', crc: 1 }]), /fails its checksum/],
    ['is encrypted', () => craftZip([{ path: 'a', flags: 0x801 }]), /is encrypted/],
    ['has two names for one entry', () => craftZip([{ path: 'b.txt', localPath: 'a.txt' }]), /two names/],
    ['is packed in another way', () => craftZip([{ path: 'a', method: 12 }]), /packed in a way/],
    ['has one path twice', () => craftZip([{ path: 'a' }, { path: './a' }]), /two entries "a"/],
    ['has a file where another needs a folder', () => craftZip([{ path: 'a' }, { path: 'a/b' }]), /is a file and a folder/],
    ['breaks off', () => craftZip([{ path: 'a' }]).subarray(0, 40), /no list of entries/],
    ['is no archive', () => Buffer.from('hello'), /no list of entries/],
    ['is empty', () => Buffer.alloc(0), /no list of entries/],
    ['is packed, but no tar', () => gzipSync('hello'), /no tar is inside/],
    [
      'is a packed tar that breaks off',
      () => gzipSync(writeTar([{ path: 'a', bytes: new Uint8Array(9_000), modifiedAt: 0 }]).subarray(0, 2_048)),
      /longer than the archive/,
    ],
  ])('that %s are refused', async (_, make, message) => {
    const { error, to } = await refused(archive(make()));
    expect(error).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringMatching(message) });
    expect(existsSync(join(work.inside, to))).toBe(false);
  });

  it('damaged anywhere are refused in one sentence, or read', () => {
    const good = craftZip([{ path: 'a.txt', content: Buffer.from('hello hello hello') }, { path: 'b/c' }]);
    const tar = writeTar([{ path: 'a.txt', bytes: Buffer.from('hello'), modifiedAt: 0 }]);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, value, zip) => {
        const bytes = Buffer.from(zip ? good : tar);
        bytes[at % bytes.length] = value;
        try {
          for (const entry of zip ? readZip(bytes) : readTar(bytes)) if (entry.size < 1_000_000) entry.read();
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^(?:TOOL_FAILED|LIMIT_EXCEEDED)$/);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('do not write through a link that is already there', async () => {
    symlinkSync(work.outside, join(work.inside, 'door'));
    const path = archive(craftZip([{ path: 'door/evil.txt' }]));
    const error = await work.refusal('archive', { operation: 'extract', path, to: '.' });
    expect(error.code).toBe('TOOL_FAILED');
    expect(error.message).not.toContain(work.outside);
    expect(readdirSync(work.outside)).toEqual([]);
  });
});

describe('permissions', () => {
  it('hold for archives, targets and sources', async () => {
    writeFileSync(join(work.outside, 'secret.txt'), 'secret');
    const path = archive(craftZip([{ path: 'a' }]));
    expect(await work.refusal('archive', { operation: 'list', path }, { read: [] })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('--allow-read'),
    });
    expect(await work.refusal('archive', { operation: 'extract', path, to: '../outside' })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('--allow-write'),
    });
    expect(await work.refusal('archive', { operation: 'extract', path }, { write: [] })).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await work.refusal('archive', { operation: 'create', path: 'x.zip', files: ['../outside/secret.txt'] })).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await work.refusal('archive', { operation: 'create', path: '../outside/x.zip', files: [path] })).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await work.refusal('archive', { operation: 'create', path: 'x.rar', files: [path] })).toMatchObject({ code: 'BAD_ARGUMENT' });
    expect(await work.refusal('archive', { operation: 'create', path: 'x.zip' })).toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('files'),
    });
    expect(readdirSync(work.outside)).toEqual(['secret.txt']);
  });
});
