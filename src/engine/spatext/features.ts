import type { PixelModel, StFeatures } from './pixel-model.ts';
import { buildMap } from './st-map.ts';
import { maskInFrame, pasteSketches, segmentFrames } from './sketch.ts';
import type { OwnedCells } from './sketch.ts';

/**
 * What the denoiser is told about the segments, once per generation: the spatio-textual map, with packs that have one
 * the sketch of each segment pasted beside it, both through the projector.
 * @param labels [n * n]; 0: nothing, k: the k-th embedding
 * @param embeddings [width] each, unit length; null: this segment says nothing (its cells stay 0 in both maps)
 */
export async function mapFeatures(
  model: PixelModel,
  labels: Uint16Array,
  embeddings: readonly (Float32Array | null)[],
): Promise<StFeatures> {
  const silent = new Float32Array(model.width);
  const map = buildMap(
    labels,
    embeddings.map((embedding) => embedding ?? silent),
    model.width,
  );
  const cells = { labels, width: model.size, height: model.size };
  return model.projectMap(map, model.sketchChannels > 0 ? await sketchMap(model, cells, embeddings) : null);
}

/** Every segment's sketch, drawn in one run, laid into its cells: [channels, n, n]. */
async function sketchMap(
  model: PixelModel,
  cells: OwnedCells,
  embeddings: readonly (Float32Array | null)[],
): Promise<Float32Array> {
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
  return pasteSketches(cells, frames, sketches, model.sketchChannels);
}
