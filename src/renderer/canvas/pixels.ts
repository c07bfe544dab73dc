import type { ReferenceRecord } from '#shared/document/records.ts';
import type { Size } from './viewport/viewport.ts';

/** Longest side at which pictures are looked at for edges and colours. */
const LONGEST = 1024;

/** References and picture over the sheet as they are seen; undefined if there is neither. */
export function readPixels(
  sheet: Size,
  references: readonly { readonly record: ReferenceRecord; readonly image: HTMLImageElement }[],
  picture: HTMLImageElement | undefined,
): ImageData | undefined {
  if (!picture && references.length === 0) return undefined;
  const scale = Math.min(1, LONGEST / Math.max(sheet.width, sheet.height));
  const width = Math.max(1, Math.round(sheet.width * scale));
  const height = Math.max(1, Math.round(sheet.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) return undefined;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  for (const { record, image } of references) {
    context.save();
    context.scale(scale, scale);
    context.transform(...record.transform);
    context.drawImage(image, 0, 0, record.width, record.height);
    context.restore();
  }
  if (picture) context.drawImage(picture, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}
