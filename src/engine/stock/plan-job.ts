import type { JobPurpose } from '#shared/api/generation.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import { firstOrder, ordersOf } from '../pipelines/pixel/orders.ts';
import type { Order } from '../pipelines/pixel/orders.ts';
import { planPartial } from '../schedulers/index.ts';
import type { Scheduler, SchedulerPlan } from '../schedulers/index.ts';
import { planCost } from './make.ts';
import type { StockTraits } from './networks.ts';
import type { PreparedStock } from './prepare.ts';
import { dialsOf, stockSampler } from './sampling.ts';
import { CELLS_OF_SIZE_ONE } from './speed.ts';
import type { DenoiseStage, EnlargeStage, Stage } from './stages.ts';
import type { View } from './view.ts';

/** A stage with all that is known before the first pass. */
export interface PlannedStage extends DenoiseStage {
  readonly prepared: PreparedStock;
  readonly plan: SchedulerPlan;
  readonly startIndex: number;
  /** Latent cells in units of a picture of 512 x 512: what a pass costs. */
  readonly size: number;
}

export interface StagePlan {
  readonly scheduler: Scheduler;
  readonly stages: readonly (PlannedStage | EnlargeStage)[];
}

export const cellsOf = ({ latent }: View): number => latent.width * latent.height;

/** The schedule and the texts of every stage. @param prepare encodes what a view shows */
export async function planStages(
  traits: StockTraits,
  scene: SceneRecord,
  purpose: JobPurpose,
  stages: readonly Stage[],
  prepare: (view: View) => Promise<PreparedStock>,
): Promise<StagePlan> {
  const scheduler = stockSampler(scene.sampler.name, traits.scheduler);
  const steps = purpose.kind === 'grid' || purpose.kind === 'live' ? purpose.steps : scene.sampler.steps;
  const planned: (PlannedStage | EnlargeStage)[] = [];
  for (const stage of stages) {
    if (stage.kind === 'enlarge') {
      planned.push(stage);
      continue;
    }
    const schedule = planPartial(scheduler, steps, stage.strength, { eta: scene.sampler.eta });
    if (stage.refines && stage.target && schedule.startIndex >= schedule.plan.timesteps.length) {
      // Too few steps for a second stage to have one: the picture is enlarged without it.
      planned.push({ kind: 'enlarge', target: stage.target });
      continue;
    }
    const prepared = await prepare(stage.view);
    planned.push({ ...stage, ...schedule, prepared, size: cellsOf(stage.view) / CELLS_OF_SIZE_ONE });
  }
  return { scheduler, stages: planned };
}

/** The pictures of a job. @param judged whether somebody can tell which of several is the best */
export function ordersFor(
  purpose: JobPurpose,
  scene: SceneRecord,
  judged: boolean,
): { orders: Order[]; bestOf: number } {
  const bestOf = judged && purpose.kind === 'generate' ? scene.batch.bestOf : 1;
  if (purpose.kind === 'upscale') return { orders: [{ ...firstOrder(scene), purpose }], bestOf };
  // Where nothing can judge a picture, "the best of several" is the one.
  return { orders: ordersOf(purpose, { ...scene, batch: { ...scene.batch, bestOf } }), bestOf };
}

/** What a job will cost: its passes exactly, and their sizes. */
export interface JobCost {
  readonly passes: number;
  /** Passes in units of one over a picture of 512 x 512. */
  readonly work: number;
  readonly images: number;
  /** What is developed of each picture, in the same unit: every stage, the later ones larger. */
  readonly pictureSize: number;
}

/** @param trained side in latent cells of the squares that the model was trained on */
export function jobCost(
  traits: StockTraits,
  stages: StagePlan['stages'],
  orders: readonly Order[],
  fewSteps: boolean,
  trained: number,
): JobCost {
  let [passes, work, pictureSize] = [0, 0, 0];
  for (const stage of stages) {
    if (stage.kind === 'enlarge') continue;
    pictureSize += stage.size;
    for (const { guidance } of orders) {
      const { prepared, plan, startIndex, size } = stage;
      const cost = planCost(traits, prepared.scene, dialsOf(guidance, fewSteps), plan, startIndex, fewSteps, trained);
      passes += cost.passes;
      work += cost.work * size;
    }
  }
  return { passes, work, images: orders.length, pictureSize };
}
