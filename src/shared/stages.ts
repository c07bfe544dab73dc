/*
 * How large a model works on a canvas, and how often: an artist's own model works at the size it was trained for, the
 * canvas is the artist's. Pure figures, so that the window can tell the cost before anything starts.
 */

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Below this share of the size a model was trained on, pictures fall apart: then it works larger. */
const SMALLEST_SHARE = 0.6;
/** Beyond this share things are made twice (two heads): then a first picture is made smaller. */
const LARGEST_SHARE = 1.5;
/** A second stage works on at most this many times the trained size; beyond, the picture is enlarged. */
const LARGEST_SECOND = 4;
/** A second stage has to work this much larger than the picture it gets, else it is only another picture. */
const WORTH_IT = 1.25;
/** How much of the schedule the second stage of a high resolution runs. */
export const REFINE_STRENGTH = 0.4;

/**
 * How large a model works on a canvas: `first` is where a picture is laid out, `largest` where it is worked out. They
 * differ where the canvas is larger than the model can lay out in one piece.
 * @param native side of the square pictures that the model was trained on
 * @returns model pixels per scene pixel
 */
export function scalesOf(canvas: Size, native: number): { readonly first: number; readonly largest: number } {
  const share = (canvas.width * canvas.height) / native ** 2;
  if (share > LARGEST_SHARE)
    return { first: 1 / Math.sqrt(share), largest: Math.min(1, Math.sqrt(LARGEST_SECOND / share)) };
  const scale = share < SMALLEST_SHARE ? 1 / Math.sqrt(share) : 1;
  return { first: scale, largest: scale };
}

/**
 * The scale at which a picture of the canvas is worked out once more to be enlarged; null where the model could add
 * nothing.
 * @param has,wants pixels of the picture per scene pixel, before and after
 */
export function scaleOfEnlarging(canvas: Size, native: number, has: number, wants: number): number | null {
  const most = Math.max(1, Math.sqrt((LARGEST_SECOND * native ** 2) / (canvas.width * canvas.height)));
  const scale = Math.min(wants, most);
  return scale < WORTH_IT * has ? null : scale;
}

/** Steps that one picture of the canvas takes in all its stages. */
export function stepsOfStages(
  scene: Size & { readonly upscale: number; readonly start: { readonly strength: number } | null },
  native: number,
  steps: number,
): number {
  const { first, largest } = scalesOf(scene, native);
  const refining = Math.floor(steps * REFINE_STRENGTH);
  let all = scene.start ? Math.floor(steps * scene.start.strength) : steps;
  if (!scene.start && largest > first) all += refining;
  if (scene.upscale > 1 && scaleOfEnlarging(scene, native, 1, scene.upscale) !== null) all += refining;
  return all;
}
