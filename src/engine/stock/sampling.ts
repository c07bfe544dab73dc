import type { GuidanceSettings, SamplerName } from '#shared/document/settings.ts';
import { createScheduler, samplerFor } from '../schedulers/index.ts';
import type { Scheduler, SchedulerConfig, TrainingSchedule } from '../schedulers/index.ts';

/** How a model was trained, out of the scheduler configuration that came with it. */
export function trainingOf(config: SchedulerConfig): TrainingSchedule {
  const told: Partial<Record<string, unknown>> = config;
  const number = (key: string): number | undefined => (typeof told[key] === 'number' ? told[key] : undefined);
  const schedule = told['beta_schedule'];
  const predicts = told['prediction_type'];
  return {
    betaSchedule: schedule === 'linear' || schedule === 'squaredcos_cap_v2' ? schedule : 'scaled_linear',
    betaStart: number('beta_start') ?? 0.00085,
    betaEnd: number('beta_end') ?? 0.012,
    trainTimesteps: config.num_train_timesteps,
    predictionType: predicts === 'v_prediction' || predicts === 'sample' ? predicts : 'epsilon',
    zeroTerminalSnr: told['rescale_betas_zero_snr'] === true,
  };
}

/**
 * The artist's sampler on the model's training schedule, from pure noise on whatever the number of steps (trailing
 * timesteps, Lin et al. 2024). A model that was distilled for LCM's own steps keeps them.
 */
export function stockSampler(name: SamplerName, config: SchedulerConfig): Scheduler {
  if (config._class_name === 'LCMScheduler') return createScheduler(config);
  return samplerFor(name, trainingOf(config));
}

/** Few-step models were distilled with guidance inside: the chain at 1 is their plain prediction, multi never is. */
export const dialsOf = (guidance: GuidanceSettings, fewSteps: boolean): GuidanceSettings =>
  fewSteps && guidance.mode === 'multi' ? { ...guidance, mode: 'joint' } : guidance;

/** The scale that an LCM is told. */
export const toldScale = (guidance: GuidanceSettings): number =>
  guidance.mode === 'single' ? guidance.scale : guidance.globalScale;
