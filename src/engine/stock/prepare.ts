import type { SegmentWarning } from '#shared/api/generation.ts';
import { sceneOf, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { mapWarnings } from '#shared/masks/warnings.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { IpImage } from '../checkpoints/ip-adapter.ts';
import { windowedDocument } from '../spatext/frame.ts';
import type { EmbeddingNames } from '../tokenizer/prompt.ts';
import type { StockScene, StockSegment } from './denoise.ts';
import type { ImageTokens } from './image-tokens.ts';
import type { EncodedText, StockNetworks } from './networks.ts';
import type { TextReader } from './text.ts';
import type { View } from './view.ts';

export interface PrepareOptions {
  readonly networks: Pick<StockNetworks, 'traits'>;
  readonly reader: Pick<TextReader, 'chunks' | 'read'>;
  readonly embeddings: EmbeddingNames;
  readonly pictures: { readonly tokens: Pick<ImageTokens, 'of' | 'blank'>; readonly scale: number } | null;
  readonly bitmaps: BitmapLookup;
  readonly blobs: BlobStore;
  readonly breathe: () => Promise<void>;
}

export interface PreparedStock {
  readonly scene: StockScene;
  readonly records: readonly SegmentRecord[];
}

/** A part of a slot: words, and pictures with the share that they have in a mix. */
interface Filling {
  readonly texts: readonly { readonly text: string; readonly share: number }[];
  readonly pictures: readonly {
    readonly content: Extract<SlotContent, { kind: 'image' | 'crop' }>;
    readonly share: number;
  }[];
}

function fillingOf(document: StudioDocument, content: SlotContent, share = 1, depth = 0): Filling {
  if (depth > 8)
    throw new StudioError('bad-input', 'a mix of mixes of mixes goes too deep', { remedy: 'mix at most eight times' });
  switch (content.kind) {
    case 'text':
      return { texts: content.text.trim() === '' ? [] : [{ text: content.text, share }], pictures: [] };
    case 'image':
    case 'crop':
      return { texts: [], pictures: [{ content, share }] };
    case 'mix': {
      const a = fillingOf(document, slotOf(document, content.a).content, share * (1 - content.t), depth + 1);
      const b = fillingOf(document, slotOf(document, content.b).content, share * content.t, depth + 1);
      return { texts: [...a.texts, ...b.texts], pictures: [...a.pictures, ...b.pictures] };
    }
  }
}

/** A mix of texts: their states token by token, filling included, weighted by share. */
function mixTexts(parts: readonly { readonly encoded: EncodedText; readonly share: number }[]): EncodedText {
  const [first, ...rest] = parts;
  if (!first) throw new StudioError('internal', 'nothing to mix');
  if (rest.length === 0) return first.encoded;
  const total = parts.reduce((sum, part) => sum + part.share, 0) || 1;
  const mix = (of: (text: EncodedText) => Float32Array) => {
    const data = new Float32Array(of(first.encoded).length);
    for (const { encoded, share } of parts)
      for (const [i, v] of of(encoded).entries()) data[i] = (data[i] ?? 0) + (v * share) / total;
    return data;
  };
  const states = { ...first.encoded.states, data: mix((text) => text.states.data) };
  const pooled = first.encoded.pooled && mix((text) => text.pooled ?? new Float32Array());
  return { states, own: states, pooled };
}

/**
 * A view of a scene for a stock model: texts and pictures encoded, shapes on the latent grid. Everything here is
 * done once per generation; texts and pictures are remembered from view to view.
 *
 * @throws StudioError 'unsupported' for a slot filled by a picture where the model reads none
 */
export async function prepareStock(
  document: StudioDocument,
  view: View,
  options: PrepareOptions,
): Promise<PreparedStock> {
  const { networks, reader, pictures } = options;
  const { traits } = networks;
  const scene = sceneOf(document);
  const { latent } = view;
  const drawn: { record: SegmentRecord; filling: Filling; mask: Float32Array }[] = [];
  for (const { segmentId, mask } of disjointMasks(windowedDocument(document, view.region), latent, options.bitmaps)
    .segments) {
    const record = document[segmentId];
    if (record?.type !== 'segment') throw new StudioError('internal', `${segmentId} has a mask but no record`);
    const filling = fillingOf(document, slotOf(document, record.slot).content);
    if (filling.texts.length + filling.pictures.length === 0 || !mask.data.includes(255)) continue;
    if (filling.pictures.length > 0 && !pictures)
      throw new StudioError(
        'unsupported',
        `${record.name ?? record.id} is filled by a picture, and ${traits.name} reads texts only`,
        {
          kept: 'the scene is unchanged',
          remedy: 'fill the segment by words, or add an IP-Adapter to the model (a recipe)',
        },
      );
    drawn.push({ record, filling, mask: Float32Array.from(mask.data, (v) => v / 255) });
  }

  // A black box takes one length of text for a whole batch: the longest decides.
  const words = [
    scene.text,
    scene.negativeText,
    ...drawn.flatMap(({ record, filling }) => [record.negativeText, ...filling.texts.map((t) => t.text)]),
  ];
  const how = { weighted: true, embeddings: options.embeddings };
  const mixes = drawn.some(({ filling }) => filling.texts.length > 1);
  const chunks = traits.regional && !mixes ? 1 : Math.max(...words.map((text) => reader.chunks(text, how)));
  const read = async (text: string, nothing = false): Promise<EncodedText> => {
    const encoded = await reader.read(text, how, chunks, nothing);
    await options.breathe();
    return encoded;
  };

  const empty = await read('', true);
  const segments: StockSegment[] = [];
  for (const { record, filling, mask } of drawn) {
    const parts = await Promise.all(
      filling.texts.map(async ({ text, share }) => ({ encoded: await read(text), share })),
    );
    const images: IpImage[] = [];
    const blankImages: IpImage[] = [];
    if (pictures)
      for (const { content, share } of filling.pictures) {
        const scale = pictures.scale * share;
        const place = { data: mask, grid: latent };
        const slot = { blob: content.blob, box: content.box, mask: content.mask };
        images.push({ tokens: await pictures.tokens.of(slot, options.blobs), scale, mask: place });
        blankImages.push({ tokens: await pictures.tokens.blank(), scale, mask: place });
        await options.breathe();
      }
    segments.push({
      local: parts.length > 0 ? mixTexts(parts) : empty,
      negative: record.negativeText.trim() === '' ? null : await read(record.negativeText),
      guidance: { weight: record.weight, interval: record.interval },
      images,
      blankImages,
    });
  }
  return {
    records: drawn.map(({ record }) => record),
    scene: {
      latent,
      picture: view.picture,
      masks: drawn.map(({ mask }) => mask),
      segments,
      empty,
      negative: scene.negativeText.trim() === '' ? null : await read(scene.negativeText),
      global: scene.text.trim() === '' ? null : await read(scene.text),
    },
  };
}

/** What may go wrong with segments on the latent grid. */
export function warningsOf(
  document: StudioDocument,
  { latent, region }: View,
  bitmaps: BitmapLookup,
): SegmentWarning[] {
  const scene = sceneOf(document);
  return mapWarnings(document, {
    mapWidth: Math.max(1, Math.round((latent.width * scene.width) / region.width)),
    mapHeight: Math.max(1, Math.round((latent.height * scene.height) / region.height)),
    bitmaps,
  });
}
