import type { JobPurpose } from '#shared/api/generation.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { REFINE_STRENGTH, scaleOfEnlarging, scalesOf } from '#shared/stages.ts';
import type { KnownPicture } from './known.ts';
import { viewAround, viewOfCanvas } from './view.ts';
import type { Size, Sizing, View } from './view.ts';

/** A run of the denoiser over one view of the scene. */
export interface DenoiseStage {
  readonly kind: 'denoise';
  readonly view: View;
  /** Pure noise, the picture that the job was given, or that of the stage before. */
  readonly from: 'noise' | 'known' | 'previous';
  /** How much of the schedule runs. */
  readonly strength: number;
  /** Works a picture out that is enlarged for it; the artist did not choose its strength. */
  readonly refines: boolean;
  /** Size of the canvas' picture afterwards; null: laid over the known one (redo). */
  readonly target: Size | null;
}

/** The picture enlarged by the embedded pack's super-resolution, where the model itself could add nothing. */
export interface EnlargeStage {
  readonly kind: 'enlarge';
  readonly target: Size;
}

export type Stage = DenoiseStage | EnlargeStage;

const MOST_PIXELS = 64e6;

/** The runs that a picture of a job takes, in order: known before the first one, so that the cost can be told. */
export function stagesOf(purpose: JobPurpose, scene: SceneRecord, known: KnownPicture | null, sizing: Sizing): Stage[] {
  const canvas = { width: scene.width, height: scene.height };
  const { first, largest } = scalesOf(canvas, sizing.native);
  const at = (scale: number): View => viewOfCanvas(canvas, scale, sizing);
  switch (purpose.kind) {
    case 'redo-segment': {
      if (!known?.redo) throw new StudioError('internal', 'redo without a picture');
      const { box } = known.redo;
      const scale = scene.width / known.picture.width;
      const around = { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale };
      const view = viewAround(around, scene, sizing) ?? at(largest);
      return [{ kind: 'denoise', view, from: 'known', strength: known.strength, refines: false, target: null }];
    }
    case 'upscale': {
      if (!known) throw new StudioError('internal', 'upscale without a picture');
      return enlarging(canvas, known.picture, purpose.factor, 'known', sizing);
    }
    case 'grid':
    case 'live': {
      // Not kept: no larger than the model lays it out.
      const shrink = Math.min(1, first);
      const target = {
        width: Math.max(1, Math.round(scene.width * shrink)),
        height: Math.max(1, Math.round(scene.height * shrink)),
      };
      const from = known ? 'known' : 'noise';
      return [{ kind: 'denoise', view: at(first), from, strength: known?.strength ?? 1, refines: false, target }];
    }
    case 'generate':
    case 'variations': {
      const stages: Stage[] = known
        ? [
            {
              kind: 'denoise',
              view: at(largest),
              from: 'known',
              strength: known.strength,
              refines: false,
              target: canvas,
            },
          ]
        : [{ kind: 'denoise', view: at(first), from: 'noise', strength: 1, refines: false, target: canvas }];
      if (!known && largest > first)
        stages.push({
          kind: 'denoise',
          view: at(largest),
          from: 'previous',
          strength: REFINE_STRENGTH,
          refines: true,
          target: canvas,
        });
      return scene.upscale > 1 ? [...stages, ...enlarging(canvas, canvas, scene.upscale, 'previous', sizing)] : stages;
    }
  }
}

function enlarging(canvas: Size, picture: Size, factor: number, from: 'known' | 'previous', sizing: Sizing): Stage[] {
  const target = { width: picture.width * factor, height: picture.height * factor };
  if (target.width * target.height > MOST_PIXELS)
    throw new StudioError(
      'too-large',
      `${target.width} x ${target.height} pixels is more than this studio enlarges to (64 million)`,
      { kept: 'the picture is unchanged' },
    );
  const has = picture.width / canvas.width;
  const scale = scaleOfEnlarging(canvas, sizing.native, has, has * factor);
  if (scale === null) return [{ kind: 'enlarge', target }];
  const view = viewOfCanvas(canvas, scale, sizing);
  return [{ kind: 'denoise', view, from, strength: REFINE_STRENGTH, refines: true, target }];
}
