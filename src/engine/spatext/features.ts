import type { PixelModel, StFeatures } from './pixel-model.ts';
import { buildMap } from './st-map.ts';
import { maskInFrame, pasteSketches, segmentFrames } from './sketch.ts';
import type { OwnedCells, SegmentFrame } from './sketch.ts';

/** The sketch of each segment, by label - 1; null: it owns no cell, or says nothing. */
export interface DrawnSketches {
  /** In cells of the map. */
  readonly frames: readonly (SegmentFrame | null)[];
  readonly sketches: readonly (Float32Array | null)[];
}

/**
 * Every segment's sketch, drawn in one run; null for packs without one.
 * @param labels [n * n]; 0: nothing, k: the k-th embedding
 * @param embeddings [width] each, unit length; null: this segment says nothing
 */
export async function drawSketches(
  model: PixelModel,
  labels: Uint16Array,
  embeddings: readonly (Float32Array | null)[],
): Promise<DrawnSketches | null> {
  if (model.sketchChannels === 0) return null;
  const cells = { labels, width: model.size, height: model.size };
  const frames = segmentFrames(cells, embeddings.length);
  const asked = embeddings.flatMap((embedding, index) => {
    const frame = frames[index];
    return embedding && frame ? [{ index, embedding, mask: maskInFrame(cells, index + 1, frame) }] : [];
  });
  const drawn = await model.sketch(
    asked.map(({ embedding }) => embedding),
    asked.map(({ mask }) => mask),
  );
  const sketches: (Float32Array | null)[] = embeddings.map(() => null);
  asked.forEach(({ index }, i) => (sketches[index] = drawn[i] ?? null));
  return { frames, sketches };
}

/**
 * What the denoiser is told about the segments, once per generation: the spatio-textual map, with packs that have one
 * the sketch of each segment pasted beside it, both through the projector.
 * @param labels [n * n]; 0: nothing, k: the k-th embedding
 * @param embeddings [width] each, unit length; null: this segment says nothing (its cells stay 0 in both maps)
 * @param drawn of the same labels and embeddings
 */
export async function mapFeatures(
  model: PixelModel,
  labels: Uint16Array,
  embeddings: readonly (Float32Array | null)[],
  drawn: DrawnSketches | null,
): Promise<StFeatures> {
  const silent = new Float32Array(model.width);
  const map = buildMap(
    labels,
    embeddings.map((embedding) => embedding ?? silent),
    model.width,
  );
  const cells = { labels, width: model.size, height: model.size };
  const { sketchChannels } = model;
  return model.projectMap(map, drawn && pasteSketches(cells, drawn.frames, drawn.sketches, sketchChannels));
}

/**
 * The sketch map for super-resolution, finer than the denoiser's: the outlines that were drawn, and all that the
 * sketches show.
 * @param cells at `scale` times the map's side; the same segments have the same labels
 * @returns [channels, cells.height, cells.width]
 */
export function fineSketchMap(
  { frames, sketches }: DrawnSketches,
  cells: OwnedCells,
  scale: number,
  channels: number,
): Float32Array {
  const finer = frames.map(
    (frame) => frame && { cx: frame.cx * scale, cy: frame.cy * scale, side: frame.side * scale },
  );
  return pasteSketches(cells, finer, sketches, channels);
}
