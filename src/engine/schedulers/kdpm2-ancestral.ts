import { linear, type Tensor } from '../tensor/index.ts';
import type { Kdpm2AncestralConfig } from './config.ts';
import { defineScheduler } from './define.ts';
import { f32, roundHalfEven } from './numerics.ts';
import { initialSigma, originalFromSigma, scaleToUnitVariance } from './sigma-based.ts';
import { formulaSigmas, fractionalTimesteps, logTable, sigmasAt, timestepOfSigma } from './spacing.ts';
import { addNoiseBySigma } from './table-based.ts';
import { sigmaTable, trainingTables } from './tables.ts';
import type { Scheduler, SchedulerPlan } from './types.ts';

/**
 * DPM-Solver-2 with ancestral noise (k-diffusion, sample_dpm_2_ancestral): a first call leads to the geometric mean
 * of the sigmas, a second one there gives the derivative for the whole step, then noise is added. 2 n - 1 calls; the
 * last step is Euler's. `memory.anchor` is the step's start between the two calls.
 */
export function createKdpm2Ancestral(config: Kdpm2AncestralConfig): Scheduler {
  const table = sigmaTable(trainingTables(config));
  const logSigmas = logTable(table);

  function timestepsAndSigmas(steps: number): { timesteps: number[]; sigmas: number[] } {
    const { timestep_spacing: spacing, num_train_timesteps: total, steps_offset: offset } = config;
    const timesteps = fractionalTimesteps(spacing, total, steps, offset);
    const sigmas = sigmasAt(timesteps, table);
    const formula = formulaSigmas(config, sigmas.at(-1) as number, sigmas[0] as number, steps);
    if (!formula) return { timesteps, sigmas: [...sigmas, 0].map(f32) };
    const exact = formula.map((sigma) => timestepOfSigma(sigma, logSigmas));
    return {
      timesteps: config.use_karras_sigmas ? exact.map(roundHalfEven) : exact,
      sigmas: [...formula, 0].map(f32),
    };
  }

  return defineScheduler({
    config,

    plan(steps, options): SchedulerPlan {
      const { timesteps, sigmas } = timestepsAndSigmas(steps);
      const next = sigmas.map((_, i) => sigmas[i + 1] ?? 0);
      const splits = sigmas.map((sigma, i) => splitFloat32(sigma, next[i] as number));
      const up = splits.map((s) => s.up);
      const down = splits.map((s) => s.down);
      const between = sigmas.map((sigma, i) => {
        if (i >= sigmas.length - 2) return 0;
        const logDown = f32(Math.log(down[i] as number));
        return f32(Math.exp(f32(logDown - f32(f32(logDown - f32(Math.log(sigma))) * 0.5))));
      });
      // one entry for the first call, two for each later step (its start and its middle), one at the end
      const perCall = (values: readonly number[]): number[] =>
        values.flatMap((v, i) => (i === 0 ? [v] : [v, v])).concat(values.at(-1) as number);
      const calls = timesteps.flatMap((t, i) =>
        i === 0 ? [t] : [f32(timestepOfSigma(between[i - 1] as number, logSigmas)), t],
      );
      return {
        steps, options, order: 2, timesteps: calls, sigmas: perCall(sigmas),
        initNoiseSigma: initialSigma(config.timestep_spacing, sigmas),
        draws: calls.map((_, i) => i % 2 === 1),
        ancestral: { between: perCall(between), down: perCall(down), up: perCall(up) },
      }; // prettier-ignore
    },

    scaleModelInput(state, sample) {
      return scaleToUnitVariance(sample, inputSigma(state.plan, state.index));
    },

    advance({ plan, index, memory }, output, sample, noise) {
      const sigma = inputSigma(plan, index);
      const original = originalFromSigma(config.prediction_type, output, sample, sigma);
      const isSecond = index % 2 === 1;
      const start = isSecond ? (memory.anchor as Tensor) : sample;
      const from = at(plan.sigmas, isSecond ? index - 1 : index);
      const to = isSecond ? at(plan.ancestral?.down, index - 1) : at(plan.ancestral?.between, index);
      // start + (to - from) * (sample - original) / sigma
      const slope = (to - from) / sigma;
      const moved = isSecond
        ? linear([
            [1, start],
            [slope, sample],
            [-slope, original],
            [at(plan.ancestral?.up, index - 1), noise ?? sample], // drawn: defineScheduler has made sure
          ])
        : linear([
            [1 + slope, sample],
            [-slope, original],
          ]);
      return { sample: moved, predictedOriginal: original, memory: { anchor: isSecond ? null : sample } };
    },

    addNoise: addNoiseBySigma,
  });
}

/**
 * The ancestral split in float32, operation by operation. Exactly, the mean of `from` and `down` is `to` itself, and
 * `down` is what cancellation leaves of to^2 - up^2: the published numbers are the rounded ones.
 */
function splitFloat32(from: number, to: number): { readonly up: number; readonly down: number } {
  if (to === 0) return { up: 0, down: 0 };
  const fromSquare = f32(from * from);
  const toSquare = f32(to * to);
  const up = f32(Math.sqrt(f32(f32(toSquare * f32(fromSquare - toSquare)) / fromSquare)));
  const left = f32(toSquare - f32(up * up));
  // nothing left (or less) for sigmas that lie far apart: the exact value, where diffusers would give NaN
  return { up, down: left > 0 ? f32(Math.sqrt(left)) : f32((to * to) / from) };
}

/** The sigma of what the model is shown: at the second call of a step the one in between. */
function inputSigma(plan: SchedulerPlan, index: number): number {
  return index % 2 === 1 ? at(plan.ancestral?.between, index - 1) : at(plan.sigmas, index);
}

function at(values: readonly number[] | null | undefined, index: number): number {
  return values?.[index] as number;
}
