import { z } from 'zod';
import type { SceneRecord } from './records.ts';
import { GuidanceSettings, SamplerSettings } from './settings.ts';

/** What a model's maker recommends: sampler, steps (1 or more) and where the dials (0..30) stand. */
export const ModelValues = z.object({
  sampler: SamplerSettings.shape.name.unwrap(),
  steps: z.number(),
  mode: GuidanceSettings.shape.mode.unwrap(),
  globalScale: z.number(),
  localScale: z.number(),
});
export type ModelValues = z.infer<typeof ModelValues>;

/** What of a scene a model has an opinion on. Each is taken or left as one: a step count says nothing without its sampler. */
export const MODEL_PARTS = ['sampler', 'dials'] as const;
export type ModelPart = (typeof MODEL_PARTS)[number];

type Valued = Pick<SceneRecord, 'sampler' | 'guidance'>;

/** The values of a scene in which nobody chose anything: what the schema fills in. */
const PLAIN: ModelValues = plainValues();

function plainValues(): ModelValues {
  const { name: sampler, steps } = SamplerSettings.parse({});
  const { mode, globalScale, localScale } = GuidanceSettings.parse({});
  return { sampler, steps, mode, globalScale, localScale };
}

/** Whether a part of the scene stands where the model would put it. The dials that its mode does not read do not count. */
function stands(part: ModelPart, { sampler, guidance }: Valued, values: ModelValues): boolean {
  if (part === 'sampler') return sampler.name === values.sampler && sampler.steps === values.steps;
  return (
    guidance.mode === values.mode &&
    (guidance.mode === 'single'
      ? guidance.scale === values.localScale
      : guidance.globalScale === values.globalScale && guidance.localScale === values.localScale)
  );
}

/** The parts in which a scene differs from what its model recommends. */
export const partsThatDiffer = (scene: Valued, values: ModelValues): ModelPart[] =>
  MODEL_PARTS.filter((part) => !stands(part, scene, values));

/**
 * The model's values for some parts of a scene. The interval, the rescale, the shield and eta are the artist's: no
 * model has a word on them. One dial alone pushes both texts, as a chain does at equal scales; it gets the local scale.
 */
export function valuesOf(scene: Valued, values: ModelValues, parts: readonly ModelPart[] = MODEL_PARTS): Valued {
  const { mode, globalScale, localScale } = values;
  return {
    sampler: parts.includes('sampler')
      ? { ...scene.sampler, name: values.sampler, steps: values.steps }
      : scene.sampler,
    guidance: parts.includes('dials')
      ? { ...scene.guidance, mode, globalScale, localScale, scale: localScale }
      : scene.guidance,
  };
}

/**
 * The parts that nobody touched: they stand where one of `origins` (the models that the scene came from) put them, or
 * where the schema did.
 */
export const untouchedParts = (scene: Valued, origins: readonly ModelValues[]): ModelPart[] =>
  MODEL_PARTS.filter((part) => [PLAIN, ...origins].some((values) => stands(part, scene, values)));
