import type { SamplerName } from '#shared/document/settings.ts';

/** What samplers are called in the field; the same in every language. */
export const SAMPLER_NAMES: Readonly<Record<SamplerName, string>> = {
  ddim: 'DDIM',
  ddpm: 'DDPM',
  pndm: 'PNDM',
  euler: 'Euler',
  'euler-a': 'Euler a',
  heun: 'Heun',
  'dpm2-a': 'DPM2 a',
  'dpmpp-2m': 'DPM++ 2M',
  'dpmpp-2m-sde': 'DPM++ 2M SDE',
  'dpmpp-2m-karras': 'DPM++ 2M Karras',
  'dpmpp-2m-sde-karras': 'DPM++ 2M SDE Karras',
  unipc: 'UniPC',
  deis: 'DEIS',
  lcm: 'LCM',
  unclip: 'unCLIP',
  'flow-euler': 'Flow Euler',
};
