import sharp from 'sharp';
import type { OverlayOptions } from 'sharp';
import type { StudioDocument } from '#shared/document/document.ts';
import { sceneOf, segmentName } from '#shared/document/document.ts';
import { colourOf } from '#shared/document/palette.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { Picture } from './picture.ts';

export interface SheetTile {
  readonly picture: Picture;
  /** A line below the picture. */
  readonly caption: string;
}

const GAP = 12;
const LINE = 22;
const GROUND = { r: 24, g: 25, b: 28 };

/** Tiles in rows with their captions below, as a PNG. All tiles get the same square, pictures fitted inside. */
export async function contactSheet(rows: readonly (readonly SheetTile[])[], side: number): Promise<Uint8Array> {
  const columns = Math.max(1, ...rows.map((row) => row.length));
  const width = GAP + columns * (side + GAP);
  const height = GAP + rows.length * (side + LINE + GAP);
  const layers: OverlayOptions[] = [];
  for (const [y, row] of rows.entries())
    for (const [x, { picture, caption }] of row.entries()) {
      const left = GAP + x * (side + GAP);
      const top = GAP + y * (side + LINE + GAP);
      const { width: w, height: h, channels } = picture;
      const input = await sharp(picture.data, { raw: { width: w, height: h, channels } })
        .resize(side, side, { fit: 'contain', background: GROUND, kernel: 'lanczos3' })
        .png()
        .toBuffer();
      layers.push({ input, left, top }, { input: captionSvg(caption, side), left, top: top + side });
    }
  const sheet = await sharp({ create: { width, height, channels: 3, background: GROUND } })
    .composite(layers)
    .png()
    .toBuffer();
  return new Uint8Array(sheet.buffer, sheet.byteOffset, sheet.length);
}

const escapeXml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (symbol) => `&#${symbol.codePointAt(0)};`).replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');

function captionSvg(text: string, width: number): Buffer {
  const most = Math.floor(width / 6.4);
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${LINE}"><text x="0" y="15" font-family="Inter, sans-serif" font-size="12" fill="#c9ccd1">${escapeXml(cut)}</text></svg>`,
  );
}

/** Where a centred label has to stand so that it stays inside (letters are about 0.56 of their size wide). */
function labelX(centre: number, text: string, size: number, width: number): number {
  const half = Math.min(width / 2, (text.length * size * 0.56) / 2 + 2);
  return Math.min(Math.max(centre, half), width - half);
}

/** The drawn segments in their colours with their texts, on a dark ground: what the artist asked for. */
export async function drawSegments(document: StudioDocument, bitmaps: BitmapLookup, longest: number): Promise<Picture> {
  const scene = sceneOf(document);
  const scale = longest / Math.max(scene.width, scene.height);
  const width = Math.max(1, Math.round(scene.width * scale));
  const height = Math.max(1, Math.round(scene.height * scale));
  const data = new Uint8Array(width * height * 3).fill(38);
  const labels: string[] = [];
  const size = Math.max(11, longest / 24);
  for (const { segmentId, mask } of disjointMasks(document, { width, height }, bitmaps).segments) {
    const record = document[segmentId];
    if (record?.type !== 'segment') continue;
    const colour = colourOf(record.color);
    const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    let [sumX, sumY, count] = [0, 0, 0];
    for (let i = 0; i < mask.data.length; i += 1) {
      if (mask.data[i] === 0) continue;
      data.set(rgb, i * 3);
      sumX += i % width;
      sumY += Math.floor(i / width);
      count += 1;
    }
    if (count > 0)
      labels.push(
        `<text x="${labelX(sumX / count, segmentName(document, record), size, width).toFixed(1)}" y="${(sumY / count + 5).toFixed(1)}" text-anchor="middle" font-family="Inter, sans-serif" font-size="${size}" font-weight="600" fill="#111">${escapeXml(segmentName(document, record))}</text>`,
      );
  }
  const overlay = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${labels.join('')}</svg>`,
  );
  const drawn = await sharp(data, { raw: { width, height, channels: 3 } })
    .composite([{ input: overlay, left: 0, top: 0 }])
    .removeAlpha()
    .raw()
    .toBuffer();
  return { width, height, channels: 3, data: new Uint8Array(drawn.buffer, drawn.byteOffset, drawn.length) };
}
