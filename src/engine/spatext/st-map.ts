import { StudioError } from '#shared/errors.ts';

/**
 * The spatio-textual map (SpaText, section 3.1): ST[:, y, x] = e_i where segment i lies, 0 elsewhere.
 * @param labels [n * n]; 0: nothing, k: the k-th embedding
 * @param embeddings unit length, [width] each
 * @returns [width, n, n]
 */
export function buildMap(labels: Uint16Array, embeddings: readonly Float32Array[], width: number): Float32Array {
  const plane = labels.length;
  const map = new Float32Array(width * plane);
  for (let i = 0; i < plane; i += 1) {
    const label = labels[i] ?? 0;
    if (label === 0) continue;
    const embedding = embeddings[label - 1];
    if (!embedding || embedding.length !== width)
      throw new StudioError('internal', `label ${label} of the map has no embedding of ${width} numbers`);
    for (let channel = 0; channel < width; channel += 1) map[channel * plane + i] = embedding[channel] ?? 0;
  }
  return map;
}

/**
 * Weight of the local term at each place of the map: the segment's own weight inside it, 1 elsewhere; null
 * where all weights are 1, so that nothing is multiplied for nothing.
 */
export function buildWeights(labels: Uint16Array, weights: readonly number[]): Float32Array | null {
  if (weights.every((weight) => weight === 1)) return null;
  return Float32Array.from(labels, (label) => (label === 0 ? 1 : (weights[label - 1] ?? 1)));
}
