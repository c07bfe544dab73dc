import type { Point } from '#shared/document/geometry.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import { featherMask } from '#shared/masks/blur.ts';
import type { Mask } from '#shared/masks/mask.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { NO_BITMAPS, rasterizeShapes } from '#shared/masks/rasterize.ts';
import type { RgbaImage } from '#shared/masks/snap/planes.ts';
import { snapToEdges } from '#shared/masks/snap/snap-to-edges.ts';
import { labelSegments } from '#shared/masks/segment-mask.ts';
import { fillByColour, fillHoles, floodFill } from '../geometry/flood-fill.ts';
import type { Region } from '../geometry/flood-fill.ts';
import { compactPath } from '../geometry/path-data.ts';
import { traceMask } from './trace.ts';
import { traceSize } from './trace-size.ts';

/** Enclosed specks smaller than this share of the canvas are filled along. */
const SPECK = 0.0005;

/** The empty area around `at` as path data; undefined on a segment or off the canvas. */
export function fillEmptyArea(document: StudioDocument, at: Point, bitmaps: BitmapLookup): string | undefined {
  const scene = sceneOf(document);
  const size = traceSize(scene);
  const { labelMap } = labelSegments(document, size, bitmaps);
  const x = (at[0] / scene.width) * size.width;
  const y = (at[1] / scene.height) * size.height;
  const region = floodFill(size.width, size.height, x, y, (index) => labelMap[index] === 0);
  return region && regionPath(region, scene);
}

/** The area around `at` that looks alike, in a picture that covers the scene, as path data. */
export function fillColourArea(
  scene: SceneRecord,
  picture: { readonly data: Uint8ClampedArray; readonly width: number; readonly height: number },
  at: Point,
  tolerance: number,
): string | undefined {
  const x = (at[0] / scene.width) * picture.width;
  const y = (at[1] / scene.height) * picture.height;
  const region = fillByColour(picture.data, picture.width, picture.height, x, y, tolerance);
  return region && regionPath(fillHoles(region, SPECK * picture.width * picture.height), scene);
}

/** A rough outline (scene pixels) with its edge moved to those of the picture, at most `reach` scene pixels away. */
export function snapArea(
  scene: SceneRecord,
  picture: RgbaImage,
  points: readonly Point[],
  reach: number,
): string | undefined {
  const { width, height } = traceSize(scene);
  const rough = rasterizeShapes([{ kind: 'polygon', op: 'add', points: [...points] }], {
    width: scene.width,
    height: scene.height,
    outWidth: width,
    outHeight: height,
    bitmaps: NO_BITMAPS,
  });
  const snapped = snapToEdges(rough, picture, { reach: (reach * width) / scene.width });
  return compactPath(traceMask(snapped, scene).rings, 0.25);
}

function regionPath({ mask, width, height }: Region, scene: SceneRecord): string | undefined {
  const coverage: Mask = { width, height, data: mask.map((value) => value * 255) };
  // half a pixel of softness turns the stairs of a yes-or-no region into lines
  const soft = featherMask(coverage, 1.2, { x: 1, y: 1 });
  return compactPath(traceMask(soft, scene).rings, 0.3);
}
