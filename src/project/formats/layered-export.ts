import { colourOf } from '#shared/document/palette.ts';
import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Size } from '#shared/masks/mask.ts';
import type { ExportInput } from '../project-api.ts';
import { segmentLayers, stampsFor } from './layers.ts';
import type { SegmentLayer } from './layers.ts';
import { makeOra } from './ora.ts';
import { parametersText } from './parameters.ts';
import { missingLoss } from './picture-export.ts';
import { bitmapsOf, colourChannels, decodePicture, sceneSize } from './pixels.ts';
import type { Picture } from './pixels.ts';
import { makePsd } from './psd.ts';
import { carryResult, carryScene } from './scene-carrier.ts';
import { makeXmp } from './xmp.ts';

/** PSD or OpenRaster: the result below, above it one layer per segment. */
export async function exportLayered(
  input: ExportInput,
  format: 'psd' | 'ora',
): Promise<{ bytes: Uint8Array; losses: string[] }> {
  const { document, result } = input;
  const picture = result ? await decodePicture(await input.readBlob(result.picture), 3) : null;
  const size = picture ? { width: picture.width, height: picture.height } : sceneSize(document);
  const { bitmaps, missing } = await bitmapsOf(document, input.readBlob);
  const layers = segmentLayers(document, size, bitmaps);
  const carried = await carryScene(document, input.readBlob);
  const extra = JSON.stringify({
    result: result && JSON.parse(carryResult(result)),
    stamps: stampsFor(layers, size, picture !== null),
  });
  const common = { size, layers, picture, merged: picture ?? merge(layers, size) };
  const losses = missingLoss(Math.max(missing, carried.missing));
  if (result && !sameSegments(document, toDocument(result.records)))
    losses.push('the layers are the segments as they are now; the picture shows another state of them');
  if (format === 'ora') return { bytes: await makeOra({ ...common, scene: carried.text, extra }), losses };
  const xmp = makeXmp({
    description: sceneOf(document).text,
    parameters: parametersText(document, result),
    scene: carried.text,
    result: extra,
  });
  return { bytes: makePsd({ ...common, xmp }), losses };
}

/** Whether two scenes have the same segments, filled by the same. */
function sameSegments(a: StudioDocument, b: StudioDocument): boolean {
  const told = (document: StudioDocument): string =>
    JSON.stringify(toRecords(document).filter(({ type }) => type === 'segment' || type === 'slot'));
  return told(a) === told(b);
}

/** What the visible layers look like together: each in its colour over those below. */
function merge(layers: readonly SegmentLayer[], { width, height }: Size): Picture {
  const data = new Uint8Array(width * height * 4);
  for (const { segment, area } of layers) {
    if (!area || !segment.visible) continue;
    const colour = colourChannels(colourOf(segment.color));
    for (let y = 0, i = 0; y < area.mask.height; y += 1)
      for (let x = 0; x < area.mask.width; x += 1, i += 1) {
        const alpha = (area.mask.data[i] ?? 0) / 255;
        if (alpha === 0) continue;
        const at = ((area.top + y) * width + area.left + x) * 4;
        const below = (data[at + 3] ?? 0) / 255;
        const total = alpha + below * (1 - alpha);
        for (let channel = 0; channel < 3; channel += 1)
          data[at + channel] = Math.round(
            ((colour[channel] ?? 0) * alpha + (data[at + channel] ?? 0) * below * (1 - alpha)) / total,
          );
        data[at + 3] = Math.round(total * 255);
      }
  }
  return { width, height, channels: 4, data };
}
