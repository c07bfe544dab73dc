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
export type CocoPanoptic = z.infer<typeof CocoPanoptic>;
type Annotation = CocoPanoptic['annotations'][number];

export const isCocoPanoptic = (json: unknown): boolean =>
  z.looseObject({ annotations: z.array(z.unknown()), categories: z.array(z.unknown()) }).safeParse(json).success;

/** @throws StudioError bad-input */
export function parseCocoPanoptic(json: unknown): CocoPanoptic {
  const parsed = CocoPanoptic.safeParse(json);
  if (!parsed.success) throw StudioError.from(parsed.error, 'not good COCO panoptic annotations');
  return parsed.data;
}

/** One image of annotations, as somebody chooses among them. */
export interface AnnotatedImage {
  /** What chooses it: the name of its photograph, else of its picture of areas. */
  readonly image: string;
  /** The picture of segment ids that belongs to it. */
  readonly picture: string;
  readonly segments: number;
  /** Whether that picture can be read. */
  readonly there: boolean;
}

/** All images, those whose pictures can be read first. */
export function annotatedImages(coco: CocoPanoptic, there: ReadonlySet<string>): AnnotatedImage[] {
  const photos = photographs(coco);
  return coco.annotations
    .map(({ image_id, file_name, segments_info }) => ({
      image: photos.get(String(image_id)) ?? file_name,
      picture: file_name,
      segments: segments_info.length,
      there: there.has(file_name),
    }))
    .toSorted((a, b) => Number(b.there) - Number(a.there));
}

/**
 * The image that is wanted (by its id or the name of one of its files), else the only one, else the only one whose
 * picture can be read; undefined if somebody has to choose.
 * @throws StudioError not-found if the wanted one is not among them
 */
export function chooseAnnotation(
  { annotations, images }: CocoPanoptic,
  wanted: string | undefined,
  there: ReadonlySet<string>,
): Annotation | undefined {
  if (wanted === undefined) {
    const candidates =
      annotations.length === 1 ? annotations : annotations.filter(({ file_name }) => there.has(file_name));
    return candidates.length === 1 ? candidates[0] : undefined;
  }
  const imageId = images.find((image) => image.file_name === wanted)?.id;
  const found = annotations.find(
    ({ image_id, file_name }) => String(image_id) === wanted || file_name === wanted || image_id === imageId,
  );
  if (!found) throw new StudioError('not-found', `the annotations have no image ${wanted}`);
  return found;
}

/**
 * The segments of one image: its PNG holds segment ids as R + 256 G + 256² B (COCO panoptic format), the JSON their
 * categories, which become the texts.
 * @param png the bytes of the picture of segment ids
 * @throws StudioError bad-input, too-large
 */
export async function readAnnotation(
  coco: CocoPanoptic,
  annotation: Annotation,
  png: Uint8Array,
): Promise<{ areas: Area[]; size: Size }> {
  const picture = await decodePicture(png, 3);
  const size = { width: picture.width, height: picture.height };
  checkAreaPixels(annotation.segments_info.length, size);
  const names = new Map(coco.categories.map(({ id, name }) => [id, name]));
  const masks = new Map<number, Uint8Array>();
  for (const { id } of annotation.segments_info) masks.set(id, new Uint8Array(size.width * size.height));
  let found = 0;
  for (let i = 0; i < size.width * size.height; i += 1) {
    const id =
      (picture.data[3 * i] ?? 0) + 256 * (picture.data[3 * i + 1] ?? 0) + 65_536 * (picture.data[3 * i + 2] ?? 0);
    const mask = masks.get(id);
    if (mask) {
      mask[i] = 255;
      found += 1;
    }
  }
  if (found === 0 && masks.size > 0)
    throw new StudioError('bad-input', `${annotation.file_name} has none of the segments of its annotations`, {
      remedy: 'check that this picture belongs to this image',
    });
  const areas = annotation.segments_info.map(({ id, category_id }) => ({
    text: categoryText(names.get(category_id) ?? ''),
    mask: masks.get(id) ?? new Uint8Array(0),
  }));
  return { areas, size };
}

/** The name of an annotation's photograph, if the annotations tell. */
export const photographOf = (coco: CocoPanoptic, { image_id }: Annotation): string | undefined =>
  photographs(coco).get(String(image_id));

const photographs = ({ images }: CocoPanoptic): Map<string, string> =>
  new Map(images.map(({ id, file_name }) => [String(id), file_name]));

/** "floor-other-merged" says floor: the endings of COCO's names tell how categories were put together, not what is seen. */
const categoryText = (name: string): string =>
  name.replaceAll('-', ' ').replace(/( (other|merged|stuff))+$/, '').replaceAll('_', ' ').trim(); // prettier-ignore
