import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';
import type { Size } from '#shared/masks/mask.ts';
import { checkAreaPixels } from './area-scene.ts';
import type { Area } from './area-scene.ts';
import { decodePicture } from './pixels.ts';

const CocoPanoptic = z.object({
  images: z.array(z.object({ id: z.union([z.number(), z.string()]), file_name: z.string() })).default([]),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
  annotations: z
    .array(
      z.object({
        image_id: z.union([z.number(), z.string()]),
        file_name: z.string(),
        segments_info: z.array(z.object({ id: z.number(), category_id: z.number() })),
      }),
    )
    .min(1),
});
type CocoPanoptic = z.infer<typeof CocoPanoptic>;

export const isCocoPanoptic = (json: unknown): boolean =>
  z.looseObject({ annotations: z.array(z.unknown()), categories: z.array(z.unknown()) }).safeParse(json).success;

/**
 * The segments of one image of COCO panoptic annotations: the PNG beside the JSON holds segment ids as
 * R + 256 G + 256² B (COCO panoptic format), the JSON their categories, which become the texts.
 * @param wanted the image by its id, file name or annotation file name; by default the first
 * @throws StudioError bad-input, not-found
 */
export async function readCocoPanoptic(
  json: unknown,
  readBeside: ((name: string) => Promise<Uint8Array>) | undefined,
  wanted: string | undefined,
): Promise<{ areas: Area[]; size: Size; losses: string[] }> {
  const parsed = CocoPanoptic.safeParse(json);
  if (!parsed.success) throw StudioError.from(parsed.error, 'not good COCO panoptic annotations');
  const annotation = choose(parsed.data, wanted);
  const { annotations } = parsed.data;
  const losses: string[] = [];
  if (annotations.length > 1 && wanted === undefined)
    losses.push(`the file has ${annotations.length} images; ${annotation.file_name} was taken`);
  if (!readBeside)
    throw new StudioError('unsupported', `the areas are in the picture ${annotation.file_name} beside the JSON`, {
      remedy: 'open the JSON by its path, with the picture beside it',
    });
  const picture = await decodePicture(await readBeside(annotation.file_name), 3);
  const size = { width: picture.width, height: picture.height };
  checkAreaPixels(annotation.segments_info.length, size);
  const names = new Map(parsed.data.categories.map(({ id, name }) => [id, name]));
  const masks = new Map<number, Uint8Array>();
  for (const { id } of annotation.segments_info) masks.set(id, new Uint8Array(size.width * size.height));
  for (let i = 0; i < size.width * size.height; i += 1) {
    const id =
      (picture.data[3 * i] ?? 0) + 256 * (picture.data[3 * i + 1] ?? 0) + 65_536 * (picture.data[3 * i + 2] ?? 0);
    const mask = masks.get(id);
    if (mask) mask[i] = 255;
  }
  const areas = annotation.segments_info.map(({ id, category_id }) => ({
    text: (names.get(category_id) ?? '').replaceAll('-', ' '),
    mask: masks.get(id) ?? new Uint8Array(0),
  }));
  return { areas, size, losses };
}

function choose({ annotations, images }: CocoPanoptic, wanted: string | undefined) {
  const [first] = annotations;
  if (wanted === undefined && first) return first;
  const imageId = images.find((image) => image.file_name === wanted)?.id;
  const found = annotations.find(
    ({ image_id, file_name }) => String(image_id) === wanted || file_name === wanted || image_id === imageId,
  );
  if (!found) throw new StudioError('not-found', `the annotations have no image ${wanted}`);
  return found;
}
