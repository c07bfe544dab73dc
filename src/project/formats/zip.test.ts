import { expect, test } from 'vitest';
import { makeZip, openZip } from './zip.ts';

const plain = (name: string, text = 'hello'): Buffer => Buffer.from(makeZip([{ name, bytes: Buffer.from(text) }]));
/** Overwrites a field of the first central directory entry (PKWARE's APPNOTE, section 4.3.12). */
function withCentral(zip: Buffer, offset: number, bytes: Buffer): Buffer {
  const copy = Buffer.from(zip);
  bytes.copy(copy, copy.indexOf(Buffer.from('PK\u0001\u0002', 'latin1')) + offset);
  return copy;
}
const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const renamed = (name: string): Buffer => {
  const safe = 'x'.repeat(name.length);
  return Buffer.from(plain(safe).toString('latin1').replaceAll(safe, name), 'latin1');
};

test('parts come back, equal parts give equal files', async () => {
  const parts = [
    { name: 'mimetype', bytes: Buffer.from('a/b'), stored: true },
    { name: 'a/long text.txt', bytes: Buffer.from('ab'.repeat(5000)) },
    { name: 'empty', bytes: new Uint8Array(0) },
  ];
  const zip = makeZip(parts);
  expect(zip.length).toBeLessThan(1000);
  expect(makeZip(parts)).toEqual(zip);
  const archive = await openZip(zip);
  expect(archive.names).toEqual(parts.map(({ name }) => name));
  for (const { name, bytes } of parts) expect(Buffer.from(archive.read(name, 1e6)).equals(bytes)).toBe(true);
  expect(Buffer.from(zip).toString('latin1', 30, 41)).toBe('mimetypea/b');
  expect(() => archive.read('none', 1)).toThrow(expect.objectContaining({ code: 'not-found' }) as Error);
  expect(() => archive.read('a/long text.txt', 9999)).toThrow(expect.objectContaining({ code: 'too-large' }) as Error);
});

test.each([
  ['a way up', renamed('../../etc/passwd')],
  ['a way up in the middle', renamed('a/../../b')],
  ['an absolute path', renamed('/etc/passwd')],
  ['a drive', renamed('C:/x')],
  ['a backslash', renamed(String.raw`..\x`)],
  ['a control character', renamed('a\u0001b')],
  ['a symbolic link', withCentral(withCentral(plain('link', '/etc/passwd'), 5, Buffer.from([3])), 38, u32(0xa1ff0000))],
  ['a device', withCentral(withCentral(plain('device'), 5, Buffer.from([3])), 38, u32(0x21ff0000))],
  ['encryption', withCentral(plain('a'), 8, u16(1))],
  ['an unknown method', withCentral(plain('a'), 10, u16(99))],
  ['a cut file', plain('a', 'x'.repeat(9000)).subarray(0, 60)],
  ['no zip', Buffer.from('PK but nothing else')],
])('%s is refused', async (_what, zip) => {
  await expect(openZip(zip)).rejects.toMatchObject({ code: 'bad-input' });
});

test('a file that was cut off is called that', async () => {
  const cut = plain('a', 'x'.repeat(9000)).subarray(0, 60);
  await expect(openZip(cut)).rejects.toThrow('not a good zip file: it is cut off, or something else');
});

test('two entries of one name are refused, as two programs would read two different files', async () => {
  const zip = Buffer.from(
    makeZip([
      { name: 'aaa', bytes: Buffer.from('1') },
      { name: 'bbb', bytes: Buffer.from('2') },
    ]),
  );
  const twice = Buffer.from(zip.toString('latin1').replaceAll('bbb', 'aaa'), 'latin1');
  await expect(openZip(twice)).rejects.toMatchObject({ code: 'bad-input' });
});

test('bombs: sizes are checked before unpacking, and enforced while unpacking', async () => {
  const big = makeZip([{ name: 'zeros', bytes: new Uint8Array(16 * 1024 * 1024) }]);
  expect(big.length).toBeLessThan(100_000);
  await expect(openZip(big, { entries: 10, total: 1_000_000 })).rejects.toMatchObject({ code: 'too-large' });
  // It says 100 bytes and holds 16 million.
  const liar = await openZip(withCentral(Buffer.from(big), 24, u32(100)));
  const before = process.memoryUsage().arrayBuffers;
  expect(() => liar.read('zeros', 1e9)).toThrow(expect.objectContaining({ code: 'bad-input' }) as Error);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024);
  const many = makeZip(Array.from({ length: 50 }, (_, index) => ({ name: `f${index}`, bytes: new Uint8Array(1) })));
  await expect(openZip(many, { entries: 49, total: 1e6 })).rejects.toMatchObject({ code: 'too-large' });
});

test('entries that share their bytes are refused', async () => {
  const zip = Buffer.from(
    makeZip(
      Array.from({ length: 40 }, (_, index) => ({ name: `f${index}`, bytes: Buffer.alloc(2000, index), stored: true })),
    ),
  );
  // All entries point at the whole of the file and claim most of it.
  for (
    let at = zip.indexOf('PK\u0001\u0002', 0, 'latin1');
    at > 0;
    at = zip.indexOf('PK\u0001\u0002', at + 4, 'latin1')
  ) {
    u32(70_000).copy(zip, at + 20);
    u32(70_000).copy(zip, at + 24);
    u32(0).copy(zip, at + 42);
  }
  await expect(openZip(zip)).rejects.toMatchObject({ code: 'bad-input' });
});

test('a damaged part is noticed by its checksum', async () => {
  const zip = plain('a', 'some text that is stored');
  const archive = await openZip(withCentral(zip, 16, u32(12_345)));
  expect(() => archive.read('a', 1e6)).toThrow(expect.objectContaining({ code: 'bad-input' }) as Error);
});
