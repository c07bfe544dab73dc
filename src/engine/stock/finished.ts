import { randomBytes } from 'node:crypto';
import type { GenerateRequest, JobId, Result, ResultId, SegmentWarning } from '#shared/api/generation.ts';
import { sceneOf, segmentsOf, slotOf, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SceneRecord, SegmentRecord } from '#shared/document/records.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { encodePng } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { FinishedResult } from '../jobs/engine-api.ts';
import type { Order } from '../pipelines/pixel/orders.ts';
import type { CompanionScores } from './companion.ts';

/** A picture that was made, not yet delivered. */
export interface Made {
  readonly picture: Picture;
  readonly order: Order;
  readonly passes: number;
  /** null: nobody judged it. */
  readonly scored: CompanionScores | null;
}

export interface Delivery {
  readonly request: GenerateRequest;
  readonly document: StudioDocument;
  readonly job: JobId;
  readonly blobs: BlobStore;
  readonly pack: Result['pack'];
  readonly warnings: SegmentWarning[];
  readonly timings: Record<string, number>;
}

/** Visible segments that have something to say: those that a picture is judged by. */
export const speakingSegments = (document: StudioDocument): SegmentRecord[] =>
  segmentsOf(document).filter((record) => {
    const { content } = slotOf(document, record.slot);
    return record.visible && !(content.kind === 'text' && content.text.trim() === '');
  });

/** A made picture as a result, with everything needed to make it again. */
export async function finishedOf(made: Made, delivery: Delivery): Promise<FinishedResult> {
  const { picture, order, passes, scored } = made;
  const { document, request, pack } = delivery;
  // The snapshot makes this one picture again: its own seed, a batch of one.
  const scene: SceneRecord = {
    ...sceneOf(document),
    seed: order.seed,
    batch: { count: 1, bestOf: 1 },
    pack: pack.id,
  };
  const result: Result = {
    id: newResultId(),
    job: delivery.job,
    createdAt: Date.now(),
    kind: request.purpose.kind,
    picture: await delivery.blobs.write(await encodePng(picture)),
    width: picture.width,
    height: picture.height,
    seed: order.seed,
    pack,
    parents: request.parents,
    records: toRecords({ ...document, [scene.id]: scene }),
    purpose: order.purpose,
    passes,
    timings: delivery.timings,
    scores: scored?.scores ?? [],
    globalScore: scored?.globalScore ?? null,
    warnings: delivery.warnings,
  };
  const embeddings = (scored?.scores ?? []).flatMap(({ segment }, index) => {
    const values = scored?.embeddings[index];
    return values ? [{ segment, text: scored?.words[index] ?? '', values }] : [];
  });
  // Without a judge there is nothing to search by: a space of its own keeps such results apart.
  return { result, embeddings, space: scored?.space ?? `none:${pack.id}` };
}

const newResultId = (): ResultId => `result-${Date.now().toString(36)}-${randomBytes(5).toString('hex')}`;
