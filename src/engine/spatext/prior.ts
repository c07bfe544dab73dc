import { StudioError } from '#shared/errors.ts';
import { isDone, samplerFor, timestepOf } from '../schedulers/index.ts';
import { NoiseStream, cosineSimilarity, normalise, split, tensor } from '../tensor/index.ts';
import type { PixelModel } from './pixel-model.ts';

export interface PriorQuery {
  /** CLIP text embedding, unit length. */
  readonly text: Float32Array;
  readonly sentence: Float32Array;
  /** Seed of the prior's noise: another number is another reading of the same words. */
  readonly reading: number;
}

/** Of each text this many image embeddings are sampled; the one closer to the text is kept (unCLIP, section 2.2). */
const CANDIDATES = 2;

/**
 * CLIP text embeddings to CLIP image embeddings by the diffusion prior (DDIM, the clean embedding predicted).
 * All queries and candidates go through the network as one batch.
 * @param breathe called between steps
 * @returns unit-length image embeddings
 */
export async function samplePrior(
  model: PixelModel,
  queries: readonly PriorQuery[],
  breathe: () => Promise<void>,
  candidates = CANDIDATES,
): Promise<Float32Array[]> {
  if (queries.length === 0) return [];
  const noise = queries.map(({ reading }) => {
    const stream = new NoiseStream(reading);
    return Array.from({ length: candidates }, () => stream.normal([model.width]).data);
  });
  const flat = queries.flatMap((query, i) => (noise[i] ?? []).map((start) => ({ query, start })));
  const sampled = await denoiseEmbeddings(model, flat, breathe);
  return queries.map((query, i) => {
    const own = sampled.slice(i * candidates, (i + 1) * candidates);
    let best = own[0];
    for (const embedding of own)
      if (best && cosineSimilarity(embedding, query.text) > cosineSimilarity(best, query.text)) best = embedding;
    if (!best) throw new StudioError('internal', 'the prior gave no embedding');
    return best;
  });
}

/** The prior's sampling loop from given noise; the form that recorded runs are compared with. */
export async function denoiseEmbeddings(
  model: PixelModel,
  rows: readonly { readonly query: PriorQuery; readonly start: Float32Array }[],
  breathe: () => Promise<void>,
): Promise<Float32Array[]> {
  const { prior } = model.pack.pack.components;
  const scheduler = samplerFor('ddim', { ...prior.scheduler, clipSample: false });
  const { steps, guidanceScale } = prior.defaults;
  const conditions = rows.map(({ query }) => ({ text: query.text, sentence: query.sentence }));
  const start = new Float32Array(rows.length * model.width);
  rows.forEach((row, i) => start.set(row.start, i * model.width));
  let sample = tensor(start, [rows.length, model.width]);
  for (let state = scheduler.start(scheduler.plan(steps)); !isDone(state);) {
    const noisy = split(sample).map((row) => row.data);
    const timestep = timestepOf(state);
    const guided = await model.predictEmbeddings(noisy, timestep, conditions);
    if (guidanceScale !== 1) {
      const plain = await model.predictEmbeddings(
        noisy,
        timestep,
        conditions.map(() => null),
      );
      guided.forEach((row, i) => {
        const base = plain[i];
        if (base)
          for (let k = 0; k < row.length; k += 1)
            row[k] = (base[k] ?? 0) + guidanceScale * ((row[k] ?? 0) - (base[k] ?? 0));
      });
    }
    const prediction = new Float32Array(sample.data.length);
    guided.forEach((row, i) => prediction.set(row, i * model.width));
    ({ sample, state } = scheduler.step(state, tensor(prediction, sample.shape), sample));
    await breathe();
  }
  const { embeddingScale, normaliseResult } = prior;
  return split(sample).map(({ data }) =>
    normaliseResult ? normalise(data) : data.map((value) => value / embeddingScale),
  );
}
