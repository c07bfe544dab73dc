import { sceneOf, segmentName } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { contoursToPath, maskContours } from '#shared/masks/contour.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { maskArea, maskBounds } from '#shared/masks/mask.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';

/** Okabe and Ito's colours, told apart by colour-blind people too. */
const COLOURS = ['#E69F00', '#56B4E9', '#009E73', '#F0E442', '#0072B2', '#D55E00', '#CC79A7', '#999999'];
const RASTER = 256;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** The drawn segments as a picture for raters: coloured areas with their texts. */
export function layoutSvg(document: StudioDocument, bitmaps: BitmapLookup): string {
  const { width, height } = sceneOf(document);
  const scale = RASTER / Math.max(width, height);
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const { segments } = disjointMasks(document, size, bitmaps);
  const areas: string[] = [];
  const labels: string[] = [];
  for (const [i, { segmentId, mask, soft }] of segments.entries()) {
    const contours = maskContours(soft, { scaleX: width / size.width, scaleY: height / size.height });
    const box = maskBounds(mask, 128);
    const record = document[segmentId];
    if (contours.length === 0 || !box || record?.type !== 'segment') continue;
    const colour = COLOURS[i % COLOURS.length] ?? '#999999';
    areas.push(`<path d="${contoursToPath(contours, 1)}" fill="${colour}" fill-rule="evenodd"/>`);
    const [x, y] = centreOf(mask.data, size.width);
    const text = segmentName(document, record);
    const font = Math.max(width / 34, Math.min(width / 20, Math.sqrt(maskArea(mask)) / scale / 4));
    labels.push(
      `<text x="${((x * width) / size.width).toFixed(1)}" y="${((y * height) / size.height).toFixed(1)}" font-size="${font.toFixed(1)}">${escaped(text)}</text>`,
    );
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<rect width="${width}" height="${height}" fill="#fff"/>${areas.join('')}` +
    `<g font-family="system-ui, sans-serif" font-weight="600" text-anchor="middle" dominant-baseline="middle" fill="#111" stroke="#fff" stroke-width="${(width / 128).toFixed(1)}" paint-order="stroke">${labels.join('')}</g></svg>`
  );
}

/** The covered pixel nearest to the centre of mass: a label there lies on its segment, also on a ring. */
function centreOf(data: Uint8Array, width: number): [number, number] {
  let [sx, sy, count] = [0, 0, 0];
  for (const [i, value] of data.entries()) {
    if (value < 128) continue;
    sx += i % width;
    sy += Math.floor(i / width);
    count += 1;
  }
  const [cx, cy] = [sx / count, sy / count];
  let best = Infinity;
  let at: [number, number] = [cx, cy];
  for (const [i, value] of data.entries()) {
    if (value < 128) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    const d = (x - cx) ** 2 + (y - cy) ** 2;
    if (d < best) {
      best = d;
      at = [x + 0.5, y + 0.5];
    }
  }
  return at;
}
