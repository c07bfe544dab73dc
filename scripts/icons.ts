// Makes the icons of every system from resources/icons/*.svg: node scripts/icons.ts
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';

const FOLDER = path.resolve(import.meta.dirname, '../resources/icons');
const PNG_SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
/** Below this the detailed drawing turns to porridge. */
const SMALL = 48;

/** Twice as large first, then made smaller: thin lines come out smooth. */
const render = (svg: Buffer, size: number): Promise<Buffer> =>
  sharp(svg, { density: (72 * 2 * size) / sideOf(svg) })
    .resize(size, size, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .png({ compressionLevel: 9 })
    .toBuffer();

/** The drawings have a square viewBox and no size of their own. */
const sideOf = (svg: Buffer): number => Number(/viewBox="0 0 (\d+)/.exec(svg.toString('utf8'))?.[1] ?? 1024);

/** A Windows icon: a directory of PNG pictures (allowed since Windows Vista). */
function encodeIco(pictures: readonly { size: number; png: Buffer }[]): Buffer {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  pictures.forEach(({ size, png }, index) => {
    const at = 6 + 16 * index;
    // 0 stands for 256.
    head.writeUInt8(size % 256, at);
    head.writeUInt8(size % 256, at + 1);
    head.writeUInt16LE(1, at + 4);
    head.writeUInt16LE(32, at + 6);
    head.writeUInt32LE(png.length, at + 8);
    head.writeUInt32LE(offset, at + 12);
    offset += png.length;
  });
  return Buffer.concat([head, ...pictures.map(({ png }) => png)]);
}

/** Kinds of PNG pictures in an .icns file, by their side in pixels (the second: for screens of double density). */
const ICNS_KINDS: readonly (readonly [string, number])[] = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic11', 32],
  ['ic12', 64],
  ['ic07', 128],
  ['ic13', 256],
  ['ic08', 256],
  ['ic14', 512],
  ['ic09', 512],
  ['ic10', 1024],
];

function encodeIcns(pictures: ReadonlyMap<number, Buffer>): Buffer {
  const chunks = ICNS_KINDS.map(([kind, size]) => {
    const png = pictures.get(size);
    if (!png) throw new Error(`no picture of ${size} pixels`);
    const head = Buffer.alloc(8);
    head.write(kind, 'latin1');
    head.writeUInt32BE(png.length + 8, 4);
    return Buffer.concat([head, png]);
  });
  const body = Buffer.concat(chunks);
  const head = Buffer.alloc(8);
  head.write('icns', 'latin1');
  head.writeUInt32BE(body.length + 8, 4);
  return Buffer.concat([head, body]);
}

/** macOS draws its icons with an empty margin: 824 of 1024 pixels are the shape. */
async function forMac(picture: Buffer, size: number): Promise<Buffer> {
  const inner = Math.round((size * 880) / 1024);
  const before = Math.floor((size - inner) / 2);
  const after = size - inner - before;
  return sharp(await sharp(picture).resize(inner, inner).png().toBuffer())
    .extend({ top: before, bottom: after, left: before, right: after, background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

const [large, small, page] = await Promise.all(
  ['icon.svg', 'icon-small.svg', 'document.svg'].map((name) => readFile(path.join(FOLDER, name))),
);
if (!large || !small || !page) throw new Error('a drawing is missing');
await mkdir(FOLDER, { recursive: true });

const icons = new Map<number, Buffer>();
const pages = new Map<number, Buffer>();
for (const size of PNG_SIZES) {
  icons.set(size, await render(size <= SMALL ? small : large, size));
  pages.set(size, await render(page, size));
}
for (const [size, png] of icons) await writeFile(path.join(FOLDER, `${size}x${size}.png`), png);
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];
const icoOf = (pictures: ReadonlyMap<number, Buffer>): Buffer =>
  encodeIco(ICO_SIZES.flatMap((size) => ({ size, png: pictures.get(size) ?? Buffer.alloc(0) })));
const macIcons = new Map<number, Buffer>();
for (const [size, png] of icons) macIcons.set(size, await forMac(png, size));
await writeFile(path.join(FOLDER, 'icon.ico'), icoOf(icons));
await writeFile(path.join(FOLDER, 'icon.icns'), encodeIcns(macIcons));
await writeFile(path.join(FOLDER, 'document.ico'), icoOf(pages));
await writeFile(path.join(FOLDER, 'document.icns'), encodeIcns(pages));
await writeFile(path.join(FOLDER, 'document.png'), pages.get(256) ?? Buffer.alloc(0));
console.log(`icons in ${path.relative(process.cwd(), FOLDER)}`);
