import type { Rect } from '../geometry/boxes.ts';
import type { SnapLine } from '../preview-layer.ts';

export interface Snapped {
  readonly dx: number;
  readonly dy: number;
  readonly lines: readonly SnapLine[];
}

/**
 * How far a box must move so that one of its edges or its middle lies on one of the others', per axis.
 * @param reach largest distance that is still snapped, in scene pixels
 */
export function snapBox(box: Rect, others: readonly Rect[], reach: number): Snapped {
  const x = snapAxis([box.x, box.x + box.width / 2, box.x + box.width], others.flatMap(({ x: left, width }) => [left, left + width / 2, left + width]), reach); // prettier-ignore
  const y = snapAxis([box.y, box.y + box.height / 2, box.y + box.height], others.flatMap(({ y: top, height }) => [top, top + height / 2, top + height]), reach); // prettier-ignore
  const lines: SnapLine[] = [];
  if (x) lines.push({ axis: 'x', at: x.at });
  if (y) lines.push({ axis: 'y', at: y.at });
  return { dx: x?.by ?? 0, dy: y?.by ?? 0, lines };
}

function snapAxis(
  own: readonly number[],
  theirs: readonly number[],
  reach: number,
): { by: number; at: number } | undefined {
  let best: { by: number; at: number } | undefined;
  for (const from of own)
    for (const at of theirs) {
      const by = at - from;
      if (Math.abs(by) <= reach && (!best || Math.abs(by) < Math.abs(best.by))) best = { by, at };
    }
  return best;
}
