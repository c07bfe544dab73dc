import { useEffect, useRef } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import type { SegmentRecord } from '#shared/document/records.ts';
import { segmentMask } from '#shared/masks/segment-mask.ts';
import { useDocument, useStudio } from '../../app/studio.ts';
import { colourOf } from '../../canvas/palette.ts';
import { bitmapCache } from './warnings.ts';

const SIDE = 80;

/** A segment's area on the whole canvas, in its colour. Drawn when the browser is idle: a stroke never waits for it. */
export function MaskThumb({ segment }: { readonly segment: SegmentRecord }) {
  const studio = useStudio();
  const ref = useRef<HTMLCanvasElement>(null);
  const { width, height } = useDocument((state) => {
    const scene = sceneOf(state.document);
    return { width: scene.width, height: scene.height };
  });
  const { shapes, grow, smooth, feather, invert, color } = segment;
  useEffect(() => {
    let gone = false;
    const draw = (): void => {
      const canvas = ref.current;
      const { document } = studio.document.getState();
      const now = document[segment.id];
      if (gone || !canvas || now?.type !== 'segment') return;
      const scale = SIDE / Math.max(width, height);
      const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
      const mask = segmentMask(document, now, size, bitmapCache(studio).lookup);
      paint(canvas, mask.data, size, colourOf(color));
    };
    const idle = requestIdleCallback(draw, { timeout: 400 });
    studio.attempt(async () => {
      if (await bitmapCache(studio).ensure(studio.document.getState().document)) draw();
    });
    return () => {
      gone = true;
      cancelIdleCallback(idle);
    };
  }, [studio, segment.id, shapes, grow, smooth, feather, invert, color, width, height]);
  return <canvas ref={ref} width={SIDE} height={SIDE} aria-hidden="true" />;
}

function paint(
  canvas: HTMLCanvasElement,
  coverage: Uint8Array,
  size: { readonly width: number; readonly height: number },
  colour: string,
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const image = context.createImageData(size.width, size.height);
  for (let at = 0; at < coverage.length; at += 1) {
    image.data[at * 4] = r ?? 0;
    image.data[at * 4 + 1] = g ?? 0;
    image.data[at * 4 + 2] = b ?? 0;
    image.data[at * 4 + 3] = coverage[at] ?? 0;
  }
  context.clearRect(0, 0, SIDE, SIDE);
  context.putImageData(image, Math.round((SIDE - size.width) / 2), Math.round((SIDE - size.height) / 2));
}
