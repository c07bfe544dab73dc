import { useEffect, useRef } from 'react';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { DocumentRecord } from '#shared/document/records.ts';
import { labelSegments } from '#shared/masks/segment-mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { useStudio } from '../../app/studio.ts';
import { colourOf } from '../../canvas/palette.ts';
import { bitmapCache } from '../segments/warnings.ts';

const SIDE = 240;

/** A scene's segments in their colours: what a scene looks like before it has a picture. */
export function SceneThumb({ records }: { readonly records: readonly DocumentRecord[] }) {
  const studio = useStudio();
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let gone = false;
    const document = toDocument(records);
    const cache = bitmapCache(studio);
    paintSegments(ref.current, document, cache.lookup);
    studio.attempt(async () => {
      if ((await cache.ensure(document)) && !gone) paintSegments(ref.current, document, cache.lookup);
    });
    return () => {
      gone = true;
    };
  }, [studio, records]);
  return <canvas ref={ref} aria-hidden="true" />;
}

function paintSegments(canvas: HTMLCanvasElement | null, document: StudioDocument, bitmaps: BitmapLookup): void {
  const context = canvas?.getContext('2d');
  if (!canvas || !context) return;
  const scene = sceneOf(document);
  const scale = SIDE / Math.max(scene.width, scene.height);
  const size = { width: Math.round(scene.width * scale), height: Math.round(scene.height * scale) };
  const { labelMap, segments } = labelSegments(document, size, bitmaps);
  canvas.width = size.width;
  canvas.height = size.height;
  const image = context.createImageData(size.width, size.height);
  for (let at = 0; at < labelMap.length; at += 1) {
    const segment = document[segments[(labelMap[at] ?? 0) - 1] ?? ''];
    if (segment?.type !== 'segment') continue;
    const colour = colourOf(segment.color);
    for (let channel = 0; channel < 3; channel += 1)
      image.data[at * 4 + channel] = Number.parseInt(colour.slice(1 + channel * 2, 3 + channel * 2), 16);
    image.data[at * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
