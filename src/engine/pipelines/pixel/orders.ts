import type { JobPurpose } from '#shared/api/generation.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import { NoiseStream, slerp } from '../../tensor/index.ts';

/** One picture of a job before it is made. */
export interface Order {
  readonly seed: number;
  readonly guidance: GuidanceSettings;
  readonly point: [number, number] | null;
  readonly purpose: JobPurpose;
  readonly noise: (sample: readonly number[]) => { noise: Float32Array; stream: NoiseStream };
}

function seededNoise(seed: number): Order['noise'] {
  return (sample) => {
    const stream = new NoiseStream(seed);
    return { noise: stream.normal(sample).data, stream };
  };
}

export function firstOrder(scene: SceneRecord): Order {
  return {
    seed: scene.seed,
    guidance: scene.guidance,
    point: null,
    purpose: { kind: 'generate' },
    noise: seededNoise(scene.seed),
  };
}

/** The pictures that a job stands for, in the order in which they are made. */
export function ordersOf(purpose: JobPurpose, scene: SceneRecord): Order[] {
  const first = firstOrder(scene);
  switch (purpose.kind) {
    case 'generate':
      return Array.from({ length: scene.batch.count * scene.batch.bestOf }, (_, i) => {
        const seed = (scene.seed + i) % 2 ** 32;
        return { ...first, seed, noise: seededNoise(seed) };
      });
    case 'variations':
      return Array.from({ length: purpose.count }, (_, i) => {
        const number = purpose.first + i;
        return {
          ...first,
          purpose: { ...purpose, count: 1, first: number },
          noise: (sample) => {
            const base = first.noise(sample);
            // Streams of variations lie far from those of the seeds beside this one.
            const other = new NoiseStream((scene.seed ^ 0x9e37_79b9 ^ Math.imul(number + 1, 0x85eb_ca6b)) >>> 0);
            return { noise: slerp(base.noise, other.normal(sample).data, purpose.strength), stream: base.stream };
          },
        };
      });
    case 'grid':
      return purpose.points.map(([localScale, globalScale]) => ({
        ...first,
        purpose,
        point: [localScale, globalScale],
        guidance: {
          ...scene.guidance,
          mode: scene.guidance.mode === 'single' ? 'multi' : scene.guidance.mode,
          localScale,
          globalScale,
        },
      }));
    case 'redo-segment':
    case 'live':
      return [{ ...first, purpose }];
    case 'upscale':
      return [];
  }
}
