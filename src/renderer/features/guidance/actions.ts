import { sceneOf } from '#shared/document/document.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import type { Studio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { withPoint } from './plane.ts';
import type { GuidancePoint } from './plane.ts';

/** One drag on pad or slider is one step of undo. */
export function patchGuidance(studio: Studio, patch: Partial<GuidanceSettings>, gesture?: string): void {
  studio.document.edit(
    'edit.guidance',
    (document) => patchScene(document, { guidance: { ...sceneOf(document).guidance, ...patch } }),
    gesture === undefined ? {} : { extend: `guidance:${gesture}` },
  );
}

export const setPoint = (studio: Studio, point: GuidancePoint): void => {
  const { guidance } = sceneOf(studio.document.getState().document);
  patchGuidance(studio, withPoint(guidance, point), 'pad');
};
