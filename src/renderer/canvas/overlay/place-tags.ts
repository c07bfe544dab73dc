import type { Point } from '#shared/document/geometry.ts';
import { overlap } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';
import type { Size } from '../viewport/viewport.ts';

/** A label to be placed; all in screen pixels. */
export interface TagItem {
  readonly id: string;
  /** The segment's highest point. */
  readonly top: Point;
  readonly bounds: Rect;
  readonly size: Size;
}

const GAP = 7;
const EDGE = 6;

/**
 * Places labels so that they hide neither each other nor leave the view: above the segment's top where that is free,
 * else above a corner, below, or inside. The first in the list choose first.
 * @param taken parts of the view that bars cover
 * @returns the upper left corner of each, by id
 */
export function placeTags(items: readonly TagItem[], view: Size, taken: readonly Rect[] = []): Map<string, Point> {
  const placed: Rect[] = [...taken];
  const places = new Map<string, Point>();
  for (const item of items) {
    let best: { rect: Rect; cost: number } | undefined;
    for (const [rank, rect] of candidates(item).entries()) {
      const kept = keepInside(rect, view);
      const pushed = Math.abs(kept.x - rect.x) + Math.abs(kept.y - rect.y);
      const hidden = placed.reduce((sum, other) => sum + overlap(grow(kept, 2), other), 0);
      const cost = hidden * 10 + pushed * 4 + rank * 30;
      if (!best || cost < best.cost) best = { rect: kept, cost };
    }
    if (!best) continue;
    placed.push(best.rect);
    places.set(item.id, [Math.round(best.rect.x), Math.round(best.rect.y)]);
  }
  return places;
}

function candidates({ top, bounds, size }: TagItem): Rect[] {
  const { width, height } = size;
  const right = bounds.x + bounds.width;
  const bottom = bounds.y + bounds.height;
  const middle = bounds.x + bounds.width / 2 - width / 2;
  const corners: Point[] = [
    [top[0] - width / 2, top[1] - height - GAP],
    [bounds.x, bounds.y - height - GAP],
    [right - width, bounds.y - height - GAP],
    [middle, bottom + GAP],
    [middle, bounds.y + GAP],
    [bounds.x + GAP, bounds.y + GAP],
    [middle, bounds.y + bounds.height / 2 - height / 2],
    [middle, bottom - height - GAP],
    [bounds.x - width - GAP, bounds.y + bounds.height / 2 - height / 2],
    [right + GAP, bounds.y + bounds.height / 2 - height / 2],
  ];
  return corners.map(([x, y]) => ({ x, y, width, height }));
}

const grow = ({ x, y, width, height }: Rect, by: number): Rect => ({
  x: x - by,
  y: y - by,
  width: width + 2 * by,
  height: height + 2 * by,
});

/** Pulls a label into the view, unless its segment is so far away that it should go with it. */
function keepInside(rect: Rect, view: Size): Rect {
  const x = Math.min(view.width - rect.width - EDGE, Math.max(EDGE, rect.x));
  const y = Math.min(view.height - rect.height - EDGE, Math.max(EDGE, rect.y));
  const far = Math.abs(x - rect.x) > rect.width || Math.abs(y - rect.y) > rect.height * 2;
  return far ? rect : { ...rect, x, y };
}
