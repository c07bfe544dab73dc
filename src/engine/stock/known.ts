import type { GenerateRequest } from '#shared/api/generation.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { decodePicture, fromPixels, resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { JobContext } from '../pipelines/maker.ts';
import { compositeInto } from '../pipelines/pixel/known-picture.ts';
import type { Tensor } from '../tensor/index.ts';
import { encodePicture } from './autoencoder.ts';
import type { KnownLatents } from './denoise.ts';
import type { StockNetworks } from './networks.ts';

/** What a picture starts from. */
export interface Known {
  readonly latents: KnownLatents | null;
  readonly strength: number;
  /** Redo: the picture that stays outside the mask; upscale: the one to enlarge. */
  readonly base: Picture | null;
  /** Redo: the mask at the base's size. */
  readonly soft: Uint8Array | null;
}

/** A picture (sides multiples of the latent cell) to latents. */
export async function encodeKnown(
  networks: StockNetworks,
  picture: Picture,
  context: Pick<JobContext, 'breathe'>,
): Promise<Tensor> {
  const image = { data: fromPixels(picture), shape: [1, 3, picture.height, picture.width] };
  return encodePicture(networks, image, { breathe: () => context.breathe() });
}

/** Of each latent cell, the largest coverage of its pixels: what a cell touches has to be made anew. */
function maskCells(
  mask: Uint8Array,
  from: { width: number; height: number },
  cells: { width: number; height: number },
): Float32Array {
  const out = new Float32Array(cells.width * cells.height);
  for (let y = 0; y < from.height; y++)
    for (let x = 0; x < from.width; x++) {
      const cell =
        Math.floor((y * cells.height) / from.height) * cells.width + Math.floor((x * cells.width) / from.width);
      out[cell] = Math.max(out[cell] ?? 0, (mask[y * from.width + x] ?? 0) / 255);
    }
  return out.map((v) => (v > 0 ? 1 : 0));
}

/**
 * The latents that a job starts from: a start picture (img2img), the picture whose segment is made
 * anew, or none.
 */
export async function knownLatents(
  networks: StockNetworks,
  request: GenerateRequest,
  document: StudioDocument,
  size: { width: number; height: number },
  bitmaps: BitmapLookup,
  context: JobContext,
): Promise<Known> {
  const scene = sceneOf(document);
  const { purpose } = request;
  const { latentCell } = networks.traits;
  if (purpose.kind === 'upscale')
    return {
      latents: null,
      strength: 0,
      base: await decodePicture(await context.blobs.read(purpose.picture), 3),
      soft: null,
    };
  if (purpose.kind === 'redo-segment') {
    const base = await decodePicture(await context.blobs.read(purpose.picture), 3);
    if (Math.abs(base.width / base.height - scene.width / scene.height) > 0.01)
      throw new StudioError(
        'bad-input',
        `the picture is ${base.width} x ${base.height}, the canvas ${scene.width} x ${scene.height}`,
        {
          remedy: 'generate a picture for this canvas first',
        },
      );
    const found = disjointMasks(document, { width: base.width, height: base.height }, bitmaps).segments.find(
      ({ segmentId }) => segmentId === purpose.segment,
    );
    if (!found?.soft.data.some((v) => v > 0))
      throw new StudioError('bad-input', 'the segment to redo covers nothing of the picture', {
        kept: 'the picture is unchanged',
        remedy: 'show the segment, or draw it larger',
      });
    const original = await encodeKnown(networks, await resizePicture(base, size.width, size.height), context);
    const cells = { width: size.width / latentCell, height: size.height / latentCell };
    const mask = maskCells(found.soft.data, base, cells);
    return { latents: { original, mask }, strength: purpose.strength, base, soft: found.soft.data };
  }
  if (scene.start && (purpose.kind === 'generate' || purpose.kind === 'variations' || purpose.kind === 'live')) {
    const start = await decodePicture(await context.blobs.read(scene.start.blob), 3);
    const original = await encodeKnown(networks, await resizePicture(start, size.width, size.height), context);
    return { latents: { original, mask: null }, strength: scene.start.strength, base: null, soft: null };
  }
  return { latents: null, strength: 1, base: null, soft: null };
}

/** Redo: lays the new segment over the old picture; outside its mask that stays bit for bit. */
export function finishKnown(picture: Picture, known: Known): Picture {
  const { base, soft } = known;
  if (!base || !soft) return picture;
  if (picture.width !== base.width || picture.height !== base.height)
    throw new StudioError(
      'internal',
      `a part of ${picture.width} x ${picture.height} for a picture of ${base.width} x ${base.height}`,
    );
  return compositeInto(base, picture, 0, 0, soft);
}

/**
 * What an inpainting model reads behind the noisy latents: the mask (1 = new) and the latents of the
 * picture without what is new. Null for other models.
 *
 * @returns [1 + 4, h, w] flat
 */
export async function inpaintingChannels(
  networks: StockNetworks,
  latent: { width: number; height: number },
  known: Pick<Known, 'latents'> & Partial<Known>,
): Promise<Float32Array | null> {
  const { inputChannels, latentChannels, latentCell } = networks.traits;
  if (inputChannels === latentChannels) return null;
  if (inputChannels !== 2 * latentChannels + 1)
    throw new StudioError('unsupported', `this model reads ${inputChannels} channels, which are not known here`, {
      remedy: 'choose an ordinary model or one for inpainting',
    });
  const places = latent.width * latent.height;
  const out = new Float32Array((1 + latentChannels) * places);
  const mask = known.latents?.mask ?? new Float32Array(places).fill(1);
  out.set(mask);
  // What is new is grey in the masked picture: the latents of a grey picture, and of the known one elsewhere.
  const side = 8 * latentCell;
  const grey = await encodePicture(networks, { data: new Float32Array(3 * side * side), shape: [1, 3, side, side] });
  for (let c = 0; c < latentChannels; c++)
    for (let i = 0; i < places; i++) {
      const old = known.latents?.original.data[c * places + i] ?? 0;
      const plain = grey.data[c * 64 + 36] ?? 0;
      out[(1 + c) * places + i] = (mask[i] ?? 1) > 0 ? plain : old;
    }
  return out;
}
