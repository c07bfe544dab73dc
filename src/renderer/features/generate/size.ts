import { segmentsOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Affine, Shape } from '#shared/document/geometry.ts';
import { patchScene, withRecords } from '../../store/recipes.ts';

/** Proportions offered for a canvas, width to height. */
export const RATIOS = ['1:1', '4:3', '3:2', '16:9', '3:4', '2:3', '9:16'] as const;
export type Ratio = (typeof RATIOS)[number];

/** A side that every model takes: multiples of 8, within the document's limits. */
export const roundSide = (side: number): number => Math.min(8192, Math.max(16, Math.round(side / 8) * 8));

/** Sides of a proportion whose area is that of a square of side `base`. */
export function sizeOfRatio(ratio: Ratio, base: number): { width: number; height: number } {
  const [w = 1, h = 1] = ratio.split(':').map(Number);
  return { width: roundSide(base * Math.sqrt(w / h)), height: roundSide(base * Math.sqrt(h / w)) };
}

const scaled = (shape: Shape, x: number, y: number): Shape => {
  const [a, b, c, d, e, f] = shape.transform ?? [1, 0, 0, 1, 0, 0];
  const transform: Affine = [a * x, b * y, c * x, d * y, e * x, f * y];
  return { ...shape, transform };
};

/** Another canvas size; what is drawn keeps its place on the canvas in proportion. */
export function resizeScene(document: StudioDocument, width: number, height: number): StudioDocument {
  const scene = document['scene:main'];
  if (scene?.type !== 'scene' || (scene.width === width && scene.height === height)) return document;
  const [x, y] = [width / scene.width, height / scene.height];
  const segments = segmentsOf(document).map((segment) => ({
    ...segment,
    shapes: segment.shapes.map((shape) => (shape.kind === 'canvas' ? shape : scaled(shape, x, y))),
  }));
  const references = Object.values(document).flatMap((record) => {
    if (record.type !== 'reference') return [];
    const [a, b, c, d, e, f] = record.transform;
    return [{ ...record, transform: [a * x, b * y, c * x, d * y, e * x, f * y] as Affine }];
  });
  return patchScene(withRecords(document, [...segments, ...references]), { width, height });
}
