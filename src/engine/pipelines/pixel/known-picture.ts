import type { GenerateRequest } from '#shared/api/generation.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord, SegmentId } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { decodePicture, resizePicture } from '../../image/picture.ts';
import type { Picture } from '../../image/picture.ts';
import { boxOfMask } from '../../spatext/crops.ts';
import { frameAround, sceneFrame } from '../../spatext/frame.ts';
import type { Frame } from '../../spatext/frame.ts';
import type { KnownPicture } from './denoise.ts';
import { canvasToSample } from './finish.ts';

/** A segment redone in a frame of its own gets this much of its surroundings on every side. */
const DETAIL_CONTEXT = 0.6;

export interface Known {
  readonly frame: Frame;
  readonly strength: number;
  readonly picture: KnownPicture | null;
  /** Redo: the picture that stays outside the mask, and the mask at its size. */
  readonly base: Picture | null;
  readonly soft: Uint8Array | null;
}

/** What the new picture starts from, where the model looks, and how much of the schedule runs. */
export async function knownPicture(
  n: number,
  request: GenerateRequest,
  document: StudioDocument,
  scene: SceneRecord,
  bitmaps: BitmapLookup,
  blobs: BlobStore,
): Promise<Known> {
  const whole = sceneFrame(scene);
  const { purpose } = request;
  if (purpose.kind === 'redo-segment') {
    const base = await decodePicture(await blobs.read(purpose.picture), 3);
    requireAspect(base, scene);
    const soft = softMaskOf(document, purpose.segment, { width: base.width, height: base.height }, bitmaps);
    const box = boxOfMask(soft, base.width, base.height);
    if (!box)
      throw new StudioError('bad-input', 'the segment to redo covers nothing of the picture', {
        kept: 'the picture is unchanged',
        remedy: 'show the segment, or draw it larger',
      });
    const scale = scene.width / base.width;
    const around = frameAround(
      { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale },
      scene,
      DETAIL_CONTEXT,
    );
    const frame = around.side < whole.side * 0.6 ? around : whole;
    const original = await canvasToSample(base, frame, scene, n);
    const grey = toGreyCanvas(soft, base.width, base.height);
    const maskSample = await canvasToSample(grey, frame, scene, n);
    const mask = Float32Array.from({ length: n * n }, (_, i) => ((maskSample[i] ?? -1) + 1) / 2);
    return { frame, strength: purpose.strength, picture: { original, mask }, base, soft };
  }
  if (scene.start && (purpose.kind === 'generate' || purpose.kind === 'variations' || purpose.kind === 'live')) {
    const start = await decodePicture(await blobs.read(scene.start.blob), 3);
    const original = await canvasToSample(await resizePicture(start, scene.width, scene.height), whole, scene, n);
    return {
      frame: whole,
      strength: scene.start.strength,
      picture: { original, mask: null },
      base: null,
      soft: null,
    };
  }
  return { frame: whole, strength: 1, picture: null, base: null, soft: null };
}

function requireAspect(picture: Picture, scene: SceneRecord): void {
  if (Math.abs(picture.width / picture.height - scene.width / scene.height) > 0.01)
    throw new StudioError(
      'bad-input',
      `the picture is ${picture.width} x ${picture.height}, the canvas ${scene.width} x ${scene.height}`,
      {
        remedy: 'generate a picture for this canvas first',
      },
    );
}

/** What is left to a segment by those on top, at the picture's size. */
function softMaskOf(
  document: StudioDocument,
  id: SegmentId,
  size: { width: number; height: number },
  bitmaps: BitmapLookup,
): Uint8Array {
  const found = disjointMasks(document, size, bitmaps).segments.find(({ segmentId }) => segmentId === id);
  if (!found)
    throw new StudioError('bad-input', `${id} is not a visible segment of this scene`, {
      remedy: 'show the segment, then redo it',
    });
  return found.soft.data;
}

function toGreyCanvas(mask: Uint8Array, width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < mask.length; i += 1) data.fill(mask[i] ?? 0, i * 3, i * 3 + 3);
  return { width, height, channels: 3, data };
}

/** Lays `part` at (x, y) over the picture where the mask says so; where it is 0 the picture stays bit for bit. */
export function compositeInto(picture: Picture, part: Picture, x: number, y: number, mask: Uint8Array): Picture {
  const data = Uint8Array.from(picture.data);
  for (let row = Math.max(0, y); row < Math.min(picture.height, y + part.height); row += 1)
    for (let column = Math.max(0, x); column < Math.min(picture.width, x + part.width); column += 1) {
      const at = row * picture.width + column;
      const alpha = (mask[at] ?? 0) / 255;
      if (alpha === 0) continue;
      const from = ((row - y) * part.width + column - x) * 3;
      for (let channel = 0; channel < 3; channel += 1) {
        const old = data[at * 3 + channel] ?? 0;
        data[at * 3 + channel] = Math.round(old + ((part.data[from + channel] ?? 0) - old) * alpha);
      }
    }
  return { ...picture, data };
}
