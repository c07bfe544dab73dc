import type { StrokePoint } from '#shared/document/geometry.ts';
import { boxAround } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';

export type Paints = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** A stroke that is being drawn: `points` grow. */
export interface LiveStroke {
  readonly points: readonly StrokePoint[];
  readonly width: number;
  readonly colour: string;
  readonly erase: boolean;
  /** Deviation of the Gaussian that softens its edge, in scene pixels; 0: crisp. */
  readonly softness: number;
}

/** What the piece of a stroke from point `from` on covers, in scene pixels. */
export function stretchBounds({ points, width }: LiveStroke, from: number): Rect | undefined {
  const box = boxAround(points.slice(Math.max(0, from - 1)));
  if (!box) return undefined;
  const rim = width / 2 + 1;
  return { x: box.x - rim, y: box.y - rim, width: box.width + 2 * rim, height: box.height + 2 * rim };
}

/** Round-ended pieces as wide as the pressure at their ends, like the discs of the stroke's area. */
export function paintStretch(context: Paints, stroke: LiveStroke, from: number): void {
  const { points, width, colour } = stroke;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  const start = Math.max(0, from - 1);
  const first = points[start];
  if (!first) return;
  if (start === 0 && from === 0) {
    context.beginPath();
    context.arc(first[0], first[1], (width * first[2]) / 2, 0, 2 * Math.PI);
    context.fill();
  }
  let previous = first;
  let open = false;
  let openWidth = 0;
  for (let index = start + 1; index < points.length; index += 1) {
    const point = points[index];
    if (!point) continue;
    const thickness = (width * (previous[2] + point[2])) / 2;
    // pieces of equal width are one path: fewer joins, no seams
    if (!open || Math.abs(thickness - openWidth) > width * 0.01) {
      if (open) context.stroke();
      context.beginPath();
      context.lineWidth = thickness;
      context.moveTo(previous[0], previous[1]);
      open = true;
      openWidth = thickness;
    }
    context.lineTo(point[0], point[1]);
    previous = point;
  }
  if (open) context.stroke();
}
