// How long masks take: single shapes at canvas size, fifty segments at the model's size and at 512 px, warnings,
// growing, feathering, snapping. node bench/masks.ts
import { createScene, createSegment } from '../src/shared/document/create.ts';
import { toDocument } from '../src/shared/document/document.ts';
import { Shape } from '../src/shared/document/geometry.ts';
import type { ShapeInput, StrokePoint } from '../src/shared/document/geometry.ts';
import { featherMask, smoothMask } from '../src/shared/masks/blur.ts';
import { growMask } from '../src/shared/masks/distance.ts';
import type { Mask } from '../src/shared/masks/mask.ts';
import { NO_BITMAPS, rasterizeShapes } from '../src/shared/masks/rasterize.ts';
import { disjointMasks } from '../src/shared/masks/segment-mask.ts';
import { snapToEdges } from '../src/shared/masks/snap/snap-to-edges.ts';
import { mapWarnings } from '../src/shared/masks/warnings.ts';
import { record, spread } from './record.ts';

function milliseconds(what: () => unknown, rounds = 15): { min: number; median: number; max: number } {
  for (let i = 0; i < 3; i += 1) what();
  return spread(
    Array.from({ length: rounds }, () => {
      const begin = performance.now();
      what();
      return performance.now() - begin;
    }),
  );
}

const draw = (shape: ShapeInput, out: number): Mask =>
  rasterizeShapes([Shape.parse(shape)], {
    width: 2048,
    height: 2048,
    outWidth: out,
    outHeight: out,
    bitmaps: NO_BITMAPS,
  });

/** A hand's wandering line of `count` points four pixels apart. */
function scribble(count: number): StrokePoint[] {
  const points: StrokePoint[] = [];
  let [x, y, heading] = [1024, 1024, 0];
  for (let i = 0; i < count; i += 1) {
    heading += Math.sin(i * 0.03) * 0.08 + (x < 60 || x > 1990 || y < 60 || y > 1990 ? 0.3 : 0.01);
    x += 4 * Math.cos(heading);
    y += 4 * Math.sin(heading);
    points.push([x, y, 0.5 + 0.5 * Math.abs(Math.sin(i * 0.01))]);
  }
  return points;
}

const disc: ShapeInput = { kind: 'ellipse', cx: 1024, cy: 1024, rx: 420, ry: 420 };
const stroke: ShapeInput = { kind: 'strokes', strokes: [{ width: 80, points: scribble(3000) }] };
const fifty = toDocument([
  createScene({ width: 2048, height: 2048 }),
  ...Array.from({ length: 50 }, (_, i) =>
    createSegment(
      `s${i}`,
      `thing ${i}`,
      [
        { kind: 'ellipse', cx: (i * 389) % 2048, cy: (i * 213) % 2048, rx: 120 + (i % 40), ry: 240 - (i % 40) },
        {
          kind: 'strokes',
          strokes: [
            {
              width: 120,
              points: scribble(200).map(([x, y, p]) => [
                x - 1024 + ((i * 389) % 2048),
                y - 1024 + ((i * 213) % 2048),
                p,
              ]),
            },
          ],
        },
      ],
      { order: i, feather: (i % 5) * 4, grow: (i % 3) * 4 },
    ),
  ).flat(),
]);

const round = draw(disc, 2048);
const picture = (() => {
  const side = 512;
  const data = new Uint8Array(side * side * 4);
  const inside = draw(disc, side);
  for (let i = 0; i < side * side; i += 1) {
    const [r, g, b] = (inside.data[i] ?? 0) >= 128 ? [180, 90, 50] : [70, 120, 160];
    const grain = ((i * 2_654_435_761) % 31) - 15;
    data.set([r + grain, g + grain, b + grain, 255], i * 4);
  }
  return { width: side, height: side, data };
})();
const rough = growMask(draw(disc, 512), 12);
const at = (side: number) => ({ width: side, height: side });

record('masks', 'node bench/masks.ts', {
  'disc of radius 420 at 2048 px': milliseconds(() => draw(disc, 2048)),
  'stroke of 3000 points, 80 px brush, at 2048 px': milliseconds(() => draw(stroke, 2048)),
  'the same at 64 px': milliseconds(() => draw(stroke, 64)),
  'grow by 20 px at 2048 px': milliseconds(() => growMask(round, 20)),
  'shrink by 20 px at 2048 px': milliseconds(() => growMask(round, -20)),
  'feather by 40 px at 2048 px': milliseconds(() => featherMask(round, 40)),
  'smooth by 40 px at 2048 px': milliseconds(() => smoothMask(round, 40)),
  '50 segments, disjoint, at 64 px': milliseconds(() => disjointMasks(fifty, at(64), NO_BITMAPS)),
  '50 segments, disjoint, at 512 px': milliseconds(() => disjointMasks(fifty, at(512), NO_BITMAPS), 5),
  '50 segments, warnings at 64 px': milliseconds(() =>
    mapWarnings(fifty, { mapWidth: 64, mapHeight: 64, bitmaps: NO_BITMAPS }),
  ),
  'snap a disc of radius 105 at 512 px': milliseconds(() => snapToEdges(rough, picture), 5),
});
