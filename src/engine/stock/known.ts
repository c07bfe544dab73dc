import type { GenerateRequest } from '#shared/api/generation.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { decodePicture, resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import { compositeInto } from '../pipelines/pixel/known-picture.ts';
import { boxOfMask } from '../spatext/crops.ts';
import type { Region } from '../spatext/crops.ts';
import type { Tensor } from '../tensor/index.ts';
import { encodePicture } from './autoencoder.ts';
import type { KnownLatents } from './denoise.ts';
import type { StockNetworks } from './networks.ts';
import { canvasInView } from './view.ts';
import type { Size, View } from './view.ts';

/** A picture of the canvas that a job starts from, or that it changes. */
export interface KnownPicture {
  /** At any size with the canvas' aspect. */
  readonly picture: Picture;
  /** How much of the schedule runs. */
  readonly strength: number;
  /** Redo: the segment's share of each pixel, 0..255 at the picture's size, and the box around it. */
  readonly redo: { readonly soft: Uint8Array; readonly box: Region } | null;
}

/** The known picture of a job: a start picture (img2img), one whose segment is made anew, one to enlarge; or none. */
export async function knownPicture(
  request: GenerateRequest,
  document: StudioDocument,
  bitmaps: BitmapLookup,
  blobs: BlobStore,
): Promise<KnownPicture | null> {
  const scene = sceneOf(document);
  const { purpose } = request;
  switch (purpose.kind) {
    case 'upscale':
      return { picture: await decodePicture(await blobs.read(purpose.picture), 3), strength: 1, redo: null };
    case 'redo-segment': {
      const picture = await decodePicture(await blobs.read(purpose.picture), 3);
      if (Math.abs(picture.width / picture.height - scene.width / scene.height) > 0.01)
        throw new StudioError(
          'bad-input',
          `the picture is ${picture.width} x ${picture.height}, the canvas ${scene.width} x ${scene.height}`,
          { remedy: 'generate a picture for this canvas first' },
        );
      const soft = disjointMasks(document, { width: picture.width, height: picture.height }, bitmaps).segments.find(
        ({ segmentId }) => segmentId === purpose.segment,
      )?.soft.data;
      const box = soft && boxOfShare(soft, picture);
      if (!soft || !box)
        throw new StudioError('bad-input', 'the segment to redo covers nothing of the picture', {
          kept: 'the picture is unchanged',
          remedy: 'show the segment, or draw it larger',
        });
      return { picture, strength: purpose.strength, redo: { soft, box } };
    }
    case 'generate':
    case 'variations':
    case 'live': {
      if (!scene.start) return null;
      const start = await decodePicture(await blobs.read(scene.start.blob), 3);
      const picture = await resizePicture(start, scene.width, scene.height);
      return { picture, strength: scene.start.strength, redo: null };
    }
    case 'grid':
      return null;
  }
}

/** The box around every pixel that the segment touches. */
function boxOfShare(soft: Uint8Array, size: Size): Region | null {
  return boxOfMask(
    soft.map((v) => (v > 0 ? 255 : 0)),
    size.width,
    size.height,
  );
}

/** The part of a picture of the canvas that a view shows, as latents [1, 4, h, w]. */
export async function encodeInView(
  networks: StockNetworks,
  picture: Picture,
  view: View,
  scene: Size,
  breathe: () => Promise<void>,
): Promise<Tensor> {
  const data = await canvasInView(picture, view, scene, view.picture);
  return encodePicture(networks, { data, shape: [1, 3, view.picture.height, view.picture.width] }, { breathe });
}

/** The latent cells that a segment of a picture touches: those have to be made anew, whole. */
export function cellsInView(soft: Uint8Array, picture: Size, view: View, scene: Size): Float32Array {
  const { latent, region } = view;
  const cells = new Float32Array(latent.width * latent.height);
  const [kx, ky] = [latent.width / region.width, latent.height / region.height];
  const [px, py] = [scene.width / picture.width, scene.height / picture.height];
  for (let y = 0; y < picture.height; y++)
    for (let x = 0; x < picture.width; x++) {
      if ((soft[y * picture.width + x] ?? 0) === 0) continue;
      const top = Math.max(0, Math.floor((y * py - region.y) * ky + 1e-6));
      const bottom = Math.min(latent.height, Math.ceil(((y + 1) * py - region.y) * ky - 1e-6));
      const left = Math.max(0, Math.floor((x * px - region.x) * kx + 1e-6));
      const right = Math.min(latent.width, Math.ceil(((x + 1) * px - region.x) * kx - 1e-6));
      for (let row = top; row < bottom; row++) cells.fill(1, row * latent.width + left, row * latent.width + right);
    }
  return cells;
}

/** Lays a view's picture over the known one where the segment is; outside of it that stays bit for bit. */
export async function layOver(known: KnownPicture, made: Picture, view: View, scene: Size): Promise<Picture> {
  const { picture, redo } = known;
  if (!redo) return made;
  const [sx, sy] = [picture.width / scene.width, picture.height / scene.height];
  const part = await resizePicture(
    made,
    Math.max(1, Math.round(view.region.width * sx)),
    Math.max(1, Math.round(view.region.height * sy)),
  );
  return compositeInto(picture, part, Math.round(view.region.x * sx), Math.round(view.region.y * sy), redo.soft);
}

/**
 * What an inpainting model reads behind the noisy latents: the mask (1 = new) and the latents of the
 * picture without what is new. Null for other models.
 *
 * @returns [1 + 4, h, w] flat
 */
export async function inpaintingChannels(
  networks: StockNetworks,
  latent: Size,
  known: KnownLatents | null,
): Promise<Float32Array | null> {
  const { inputChannels, latentChannels, latentCell } = networks.traits;
  if (inputChannels === latentChannels) return null;
  if (inputChannels !== 2 * latentChannels + 1)
    throw new StudioError('unsupported', `this model reads ${inputChannels} channels, which are not known here`, {
      remedy: 'choose an ordinary model or one for inpainting',
    });
  const places = latent.width * latent.height;
  const out = new Float32Array((1 + latentChannels) * places);
  const mask = known?.mask ?? new Float32Array(places).fill(1);
  out.set(mask);
  // What is new is grey in the masked picture: the latents of a grey picture, and of the known one elsewhere.
  const side = 8 * latentCell;
  const grey = await encodePicture(networks, { data: new Float32Array(3 * side * side), shape: [1, 3, side, side] });
  for (let c = 0; c < latentChannels; c++)
    for (let i = 0; i < places; i++) {
      const old = known?.original.data[c * places + i] ?? 0;
      const plain = grey.data[c * 64 + 36] ?? 0;
      out[(1 + c) * places + i] = (mask[i] ?? 1) > 0 ? plain : old;
    }
  return out;
}
