import { StudioError } from '#shared/errors.ts';
import { linear, type Tensor } from '../tensor/index.ts';
import { levelOfSigma, type PredictionType } from './prediction.ts';
import { signalAt, type TrainingTables } from './tables.ts';
import type { SchedulerPlan } from './types.ts';

type AddNoise = (plan: SchedulerPlan, original: Tensor, noise: Tensor, index: number) => Tensor;

/** sqrt(a) original + sqrt(1 - a) noise, a from the training table at the call's timestep. */
export function addNoiseBySignal(tables: TrainingTables): AddNoise {
  return (plan, original, noise, index) => {
    const signal = signalAt(tables, plan.timesteps[index] as number);
    return linear([
      [Math.sqrt(signal), original],
      [Math.sqrt(1 - signal), noise],
    ]);
  };
}

/** original + sigma noise: the variance-exploding samplers. */
export const addNoiseBySigma: AddNoise = (plan, original, noise, index) =>
  linear([
    [1, original],
    [sigmaAt(plan, index), noise],
  ]);

/** alpha original + sigma noise, both from the call's sigma. */
export function addNoiseByLevel(isFlow: boolean): AddNoise {
  return (plan, original, noise, index) => {
    const { alpha, sigma } = levelOfSigma(sigmaAt(plan, index), isFlow);
    return linear([
      [alpha, original],
      [sigma, noise],
    ]);
  };
}

/** Sigma of call `index`; plan.timesteps.length is the one at the end. */
export function sigmaAt(plan: SchedulerPlan, index: number): number {
  const sigma = plan.sigmas?.[index];
  if (sigma === undefined) throw new StudioError('internal', `the plan has no sigma ${index}`);
  return sigma;
}

/** With zero terminal SNR nothing is left of the picture at the last timestep: noise alone says nothing about it. */
export function refuseEpsilonWithoutSignal(
  type: PredictionType,
  tables: TrainingTables,
  timesteps: readonly number[],
): void {
  if (type === 'epsilon' && timesteps.some((t) => signalAt(tables, t) === 0))
    throw new StudioError('unsupported', 'a model that predicts noise cannot begin at zero signal-to-noise', {
      remedy: 'leading spacing avoids that timestep; a model for zero terminal SNR predicts v',
    });
}
