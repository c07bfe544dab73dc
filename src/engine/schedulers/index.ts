/**
 * Samplers as pure functions: what to tell the model, and what to do with its answer. No model in sight.
 * Start at samplers.ts (by name, for a model) or config.ts (from a scheduler_config.json).
 */
export { parseSchedulerConfig, readSchedulerConfig, SCHEDULER_CLASSES, type SchedulerClass, type SchedulerConfig } from './config.ts'; // prettier-ignore
export { createScheduler } from './create.ts';
export { beginsAtNoise, isDone, planPartial, stepNoiseCount, timestepOf } from './define.ts';
export { guidanceScaleEmbedding, sinusoidalEmbedding, type SinusoidalOptions } from './embeddings.ts';
export { dynamicShiftMu } from './flow-match-euler.ts';
export {
  drawsNoise,
  SAMPLER_FAMILIES,
  samplerConfig,
  samplerCost,
  type SamplerCost,
  samplerFor,
  samplerRefusal,
  samplersFor,
  type TrainingSchedule,
} from './samplers.ts';
export { trainingTables, type TrainingTables, velocity } from './tables.ts';
export type { PlanOptions, Scheduler, SchedulerMemory, SchedulerPlan, SchedulerState, StepResult } from './types.ts';
