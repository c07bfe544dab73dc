import type { SchedulerConfig } from './config.ts';
import { createDdim } from './ddim.ts';
import { createDdpm } from './ddpm.ts';
import { createDeis } from './deis.ts';
import { createDpmSolver } from './dpm-solver.ts';
import { createEulerAncestral } from './euler-ancestral.ts';
import { createEuler } from './euler.ts';
import { createFlowMatchEuler } from './flow-match-euler.ts';
import { createHeun } from './heun.ts';
import { createKdpm2Ancestral } from './kdpm2-ancestral.ts';
import { createLcm } from './lcm.ts';
import { createPndm } from './pndm.ts';
import type { Scheduler } from './types.ts';
import { createUnclip } from './unclip.ts';
import { createUniPc } from './unipc.ts';

/** The sampler of a configuration (see config.ts for reading one). */
export function createScheduler(config: SchedulerConfig): Scheduler {
  switch (config._class_name) {
    case 'DDIMScheduler':
      return createDdim(config);
    case 'DDPMScheduler':
      return createDdpm(config);
    case 'PNDMScheduler':
      return createPndm(config);
    case 'EulerDiscreteScheduler':
      return createEuler(config);
    case 'EulerAncestralDiscreteScheduler':
      return createEulerAncestral(config);
    case 'HeunDiscreteScheduler':
      return createHeun(config);
    case 'KDPM2AncestralDiscreteScheduler':
      return createKdpm2Ancestral(config);
    case 'DPMSolverMultistepScheduler':
      return createDpmSolver(config);
    case 'UniPCMultistepScheduler':
      return createUniPc(config);
    case 'DEISMultistepScheduler':
      return createDeis(config);
    case 'LCMScheduler':
      return createLcm(config);
    case 'UnCLIPScheduler':
      return createUnclip(config);
    case 'FlowMatchEulerDiscreteScheduler':
      return createFlowMatchEuler(config);
  }
}
