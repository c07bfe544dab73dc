import type { SegmentWarning } from '#shared/api/generation.ts';
import { sceneOf, slotOf, slotText } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord, SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { disjointMasks, labelSegments } from '#shared/masks/segment-mask.ts';
import { mapWarnings } from '#shared/masks/warnings.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { drawSketches, fineSketchMap, mapFeatures } from '../../spatext/features.ts';
import type { DrawnSketches } from '../../spatext/features.ts';
import { framedDocument } from '../../spatext/frame.ts';
import type { Frame } from '../../spatext/frame.ts';
import type { PixelModel, StFeatures } from '../../spatext/pixel-model.ts';
import type { FilledSlot, SlotFiller } from '../../spatext/slots.ts';

/** A segment as the model gets it. */
export interface PreparedSegment {
  readonly record: SegmentRecord;
  readonly slot: FilledSlot;
  readonly words: string;
  /** [n * n] coverage 0 or 255 on the model's map. */
  readonly mask: Uint8Array;
}

/** Everything about a scene that does not change from step to step, computed once per generation. */
export interface PreparedScene {
  readonly scene: SceneRecord;
  readonly frame: Frame;
  /** Only segments that fill at least one place of the map and have something to say. */
  readonly segments: readonly PreparedSegment[];
  /** [n * n]: 0 or 1 + index into segments. */
  readonly labels: Uint16Array;
  /** Global image embedding, null for an empty global text. */
  readonly global: Float32Array | null;
  /** CLIP text embedding of the global text, for the score. */
  readonly globalText: Float32Array | null;
  readonly features: StFeatures | null;
  /** What super-resolution is told, [channels, n * scale, n * scale]; null for packs that tell it nothing. */
  readonly fineSketch: Float32Array | null;
  /** What guidance leads away from: negative texts, null where there are none. */
  readonly negativeGlobal: Float32Array | null;
  readonly negativeFeatures: StFeatures | null;
  readonly warnings: readonly SegmentWarning[];
}

const textContent = (text: string): SlotContent => ({ kind: 'text', text, reading: 0 });

/**
 * Texts and pictures to embeddings, shapes to the map, the map to its features.
 * @param frame the square of the scene that the model sees
 */
export async function prepareScene(
  document: StudioDocument,
  frame: Frame,
  model: PixelModel,
  filler: SlotFiller,
  bitmaps: BitmapLookup,
  blobs: BlobStore,
  on: { readonly phase: (phase: 'texts' | 'map') => void; readonly breathe: () => Promise<void> },
): Promise<PreparedScene> {
  const scene = sceneOf(document);
  const n = model.size;
  on.phase('texts');
  const framed = framedDocument(document, frame);
  const { segments: masks } = disjointMasks(framed, { width: n, height: n }, bitmaps);
  const drawn: { record: SegmentRecord; content: SlotContent; mask: Uint8Array }[] = [];
  for (const { segmentId, mask } of masks) {
    const record = document[segmentId];
    if (record?.type !== 'segment') throw new StudioError('internal', `${segmentId} has a mask but no record`);
    const content = slotOf(document, record.slot).content;
    const silent = content.kind === 'text' && content.text.trim() === '';
    if (!silent && mask.data.includes(255)) drawn.push({ record, content, mask: mask.data });
  }
  const hasGlobal = scene.text.trim() !== '';
  const contents = [
    ...drawn.map(({ content }) => content),
    textContent(scene.text),
    textContent(scene.negativeText),
    ...drawn.map(({ record }) => textContent(record.negativeText)),
  ];
  const filled = await filler.fill(contents, document, blobs, on.breathe);
  const at = (index: number): FilledSlot => {
    const slot = filled[index];
    if (!slot) throw new StudioError('internal', 'a slot is missing');
    return slot;
  };
  on.phase('map');
  const labels = new Uint16Array(n * n);
  const segments = drawn.map(({ record, content, mask }, index): PreparedSegment => {
    for (let i = 0; i < mask.length; i += 1) if (mask[i] === 255) labels[i] = index + 1;
    return { record, slot: at(index), words: slotText(document, content), mask };
  });
  const embeddings = segments.map(({ slot }) => slot.embedding);
  const sketches = segments.length > 0 ? await drawSketches(model, labels, embeddings) : null;
  const features = segments.length > 0 ? await mapFeatures(model, labels, embeddings, sketches) : null;
  await on.breathe();
  const negatives = segments.map(({ record }, index) =>
    record.negativeText.trim() === '' ? null : at(segments.length + 2 + index).embedding,
  );
  return {
    scene,
    frame,
    segments,
    labels,
    global: hasGlobal ? at(segments.length).embedding : null,
    globalText: hasGlobal ? at(segments.length).text : null,
    features,
    fineSketch: sketches && fineSketchOf(model, framed, segments, sketches, bitmaps),
    negativeGlobal: scene.negativeText.trim() === '' ? null : at(segments.length + 1).embedding,
    // The map of the negative local texts; null if no segment has one.
    negativeFeatures: negatives.some((negative) => negative !== null)
      ? await mapFeatures(model, labels, negatives, await drawSketches(model, labels, negatives))
      : null,
    warnings: mapWarnings(document, {
      // The canvas is the middle of the square that the model sees.
      mapWidth: Math.max(1, Math.round((n * scene.width) / Math.max(scene.width, scene.height))),
      mapHeight: Math.max(1, Math.round((n * scene.height) / Math.max(scene.width, scene.height))),
      bitmaps,
    }),
  };
}

/** The shapes once more, as fine as super-resolution reads them, filled with the sketches. */
function fineSketchOf(
  model: PixelModel,
  framed: StudioDocument,
  prepared: readonly PreparedSegment[],
  sketches: DrawnSketches,
  bitmaps: BitmapLookup,
): Float32Array | null {
  const scale = model.sketchScale;
  if (scale === 0) return null;
  const side = model.size * scale;
  const { labelMap, segments } = labelSegments(framed, { width: side, height: side }, bitmaps);
  const known = new Map(prepared.map(({ record }, index) => [record.id, index + 1]));
  const table = [0, ...segments.map((id) => known.get(id) ?? 0)];
  const labels = labelMap.map((label) => table[label] ?? 0);
  return fineSketchMap(sketches, { labels, width: side, height: side }, scale, model.sketchChannels);
}
