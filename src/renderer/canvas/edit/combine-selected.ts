import { segmentsOf } from '#shared/document/document.ts';
import type { Shape } from '#shared/document/geometry.ts';
import { patchSegment, removeSegments } from '../../store/recipes.ts';
import type { Stage } from '../stage.ts';
import type { BooleanOp } from './boolean.ts';
import { combine, hasModifiers } from './boolean.ts';
import { traceShapes } from './compact.ts';

/**
 * Combines the selected segments. The lowest one takes the outcome and keeps its text; a union takes the others in and
 * removes them, subtracting and intersecting leave them as they are.
 */
export function combineSelected(stage: Stage, op: BooleanOp): void {
  const selected = segmentsOf(stage.document).filter((segment) => stage.view.selection.includes(segment.id));
  const [target, ...others] = selected;
  if (!target || others.length === 0) return stage.hint('canvas.hint.combineNeedsTwo');
  if (target.locked || (op === 'union' && others.some((segment) => segment.locked)))
    return stage.hint('canvas.hint.locked');
  stage.attempt(async () => {
    const traced = new Map<string, Shape>();
    const trace = async (segments: typeof selected): Promise<void> => {
      for (const segment of segments) {
        const shape = await traceShapes(stage, segment, true);
        traced.set(segment.id, shape ?? { kind: 'group', op: 'add', shapes: [] });
      }
    };
    // growing and smoothing belong to a whole segment: such areas enter as they look
    await trace(selected.filter(hasModifiers));
    let shapes = combine(target, others, op, traced);
    if (!shapes) {
      await trace(selected.filter((segment) => !traced.has(segment.id)));
      shapes = combine(target, others, op, traced);
    }
    const now = stage.document;
    if (!shapes || selected.some((segment) => now[segment.id] !== segment)) return;
    const modified = traced.has(target.id);
    stage.studio.document.edit(`edit.${op}`, (document) => {
      const next = patchSegment(document, target.id, {
        shapes,
        invert: false,
        ...(modified ? { grow: 0, smooth: 0 } : {}),
      });
      return op === 'union' ? removeSegments(next, others.map((segment) => segment.id)) : next; // prettier-ignore
    });
    stage.studio.view.select([target.id]);
  });
}
