import type { GenerateRequest } from '#shared/api/generation.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { loadBitmaps } from '../image/bitmaps.ts';
import { knownPicture } from './known.ts';
import type { EncodedText, StockTraits } from './networks.ts';
import type { OpenStock } from './open-stock.ts';
import { ordersFor, jobCost, planStages } from './plan-job.ts';
import type { JobCost } from './plan-job.ts';
import { prepareStock } from './prepare.ts';
import { stagesOf } from './stages.ts';
import { sizingOf } from './view.ts';

/** Which texts are equal is all that a cost depends on: no encoder is opened for it. */
function namesOfTexts(traits: StockTraits) {
  const texts = new Map<string, EncodedText>();
  return {
    chunks: () => 1,
    async read(text: string, _how: unknown, _atLeast?: number, nothing = false): Promise<EncodedText> {
      const key = nothing && traits.zerosForEmptyText && text.trim() === '' ? 'zeros' : `text ${text}`;
      let known = texts.get(key);
      if (!known) {
        const states = { data: new Float32Array(1), tokens: 1, width: 1 };
        texts.set(key, (known = { states, own: states, pooled: null }));
      }
      return known;
    },
  };
}

const NO_TOKENS = new Float32Array(1);

/**
 * What a job will cost, by the plan that would run it, without a network being opened.
 *
 * @param native side in pixels of the pictures that the model was trained on
 * @param judged whether the best of several can be told
 */
export async function reckonCost(
  opened: OpenStock,
  traits: StockTraits,
  native: number,
  judged: boolean,
  request: GenerateRequest,
  blobs: BlobStore,
): Promise<JobCost> {
  const document = toDocument(request.records);
  const scene = sceneOf(document);
  const { purpose } = request;
  const bitmaps = await loadBitmaps(document, blobs);
  const known = await knownPicture(request, document, bitmaps, blobs);
  const sizing = sizingOf(traits, native);
  const reader = namesOfTexts(traits);
  const readsPictures = Boolean(scene.additions.ipAdapter ?? opened.recipe?.ipAdapter);
  const tokens = { of: async () => NO_TOKENS, blank: async () => NO_TOKENS };
  const { stages } = await planStages(traits, scene, purpose, stagesOf(purpose, scene, known, sizing), (view) =>
    prepareStock(document, view, {
      networks: { traits },
      reader,
      embeddings: new Map(),
      pictures: readsPictures ? { tokens, scale: 1 } : null,
      bitmaps,
      blobs,
      breathe: async () => undefined,
    }),
  );
  const { orders } = ordersFor(purpose, scene, judged);
  return jobCost(traits, stages, orders, opened.fewSteps, sizing.native / sizing.cell);
}
