import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { guidanceScaleEmbedding, sinusoidalEmbedding } from './embeddings.ts';
import { FOLDER, maxDistance } from './reference.testkit.ts';
import { type BetaSettings, cosineBetas, sigmaTable, signalAt, tablesForSigmas, trainingTables } from './tables.ts';

const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
type BetaRow = { id: string; config: BetaSettings; betas: number[]; alphas_cumprod: number[] };
const { rows } = read<{ rows: BetaRow[] }>(`${FOLDER}/betas.json`);

type CosineRow = {
  num_train_timesteps: number;
  indices: number[];
  betas_float64: number[];
  betas_float32: number[];
  alphas_cumprod_float32: number[];
};
type EmbeddingRow = {
  embedding_dim: number;
  flip_sin_to_cos: boolean;
  downscale_freq_shift: number;
  timesteps: number[];
  result: number[][];
};
const misc = read<{
  cosine_schedule: CosineRow[];
  timestep_embedding: EmbeddingRow[];
  guidance_scale_embedding: { guidance_scale: number; embedding_dim: number; result: number[] }[];
}>('test/fixtures/misc.json');

/** The fixtures carry nine digits: enough to name one float32. */
const bits = (values: readonly number[]): Float32Array => Float32Array.from(values);

describe('training tables', () => {
  it.each(rows.filter((row) => !row.id.includes('zero-snr')))('of $id are the published ones, bit for bit', (row) => {
    const tables = trainingTables(row.config);
    const differing = (a: Float32Array, b: Float32Array): number => a.reduce((n, v, i) => n + (v === b[i] ? 0 : 1), 0);
    expect(tables.betas).toHaveLength(row.betas.length);
    expect(maxDistance(tables.betas, row.betas)).toBeLessThan(2e-9); // half a unit in the last place of 0.02
    expect(maxDistance(tables.alphasCumprod, row.alphas_cumprod)).toBeLessThan(6e-8);
    if (['linear-ddpm', 'scaled-linear-sd', 'cosine'].includes(row.id)) {
      expect(differing(tables.betas, bits(row.betas))).toBe(0);
      expect(differing(tables.alphasCumprod, bits(row.alphas_cumprod))).toBe(0);
    }
  });

  it.each(rows.filter((row) => row.id.includes('zero-snr')))('of $id end at no signal at all', (row) => {
    const tables = trainingTables(row.config);
    // torch takes the square roots of this one table by a vector library, up to one unit in the last place off
    expect(maxDistance(tables.betas, row.betas)).toBeLessThan(5e-6);
    row.alphas_cumprod.forEach((a, i) => expect(Math.abs(tables.alphasCumprod[i]! - a)).toBeLessThanOrEqual(1e-5 * a));
    expect(tables.alphasCumprod.at(-1)).toBe(0);
    const forSigmas = tablesForSigmas(row.config);
    expect(forSigmas.alphasCumprod.at(-1)).toBe(2 ** -24);
    expect(Math.abs((sigmaTable(forSigmas).at(-1) as number) - 4096)).toBeLessThan(0.01);
  });

  it.each(misc.cosine_schedule)('of the cosine schedule with $num_train_timesteps steps', (row) => {
    const exact = cosineBetas(row.num_train_timesteps);
    const tables = trainingTables({ ...row, beta_start: 0, beta_end: 0, beta_schedule: 'squaredcos_cap_v2' });
    row.indices.forEach((index, i) => {
      expect(Math.abs((exact[index] as number) - (row.betas_float64[i] as number))).toBeLessThan(1e-14);
      expect(tables.betas[index]).toBe(Math.fround(row.betas_float32[i] as number));
      expect(signalAt(tables, index)).toBe(Math.fround(row.alphas_cumprod_float32[i] as number));
    });
  });

  it('take trained betas as they are, if there are enough of them', () => {
    const settings = { num_train_timesteps: 3, beta_start: 0, beta_end: 0, beta_schedule: 'linear' } as const;
    expect([...trainingTables({ ...settings, trained_betas: [0.5, 0.25, 0.5] }).alphasCumprod]).toEqual([0.5, 0.375, 0.1875]); // prettier-ignore
    expect(() => trainingTables({ ...settings, trained_betas: [0.5] })).toThrow(/1 numbers for 3/);
  });

  it('answer for a timestep that they do not have', () => {
    const tables = trainingTables(rows[0]!.config);
    for (const t of [-1, 1000, 0.5]) expect(() => signalAt(tables, t)).toThrow(/outside the 1000 timesteps/);
  });
});

describe('sinusoidal embeddings', () => {
  it.each(misc.timestep_embedding)(
    'of timesteps: $embedding_dim numbers, flipped $flip_sin_to_cos, shift $downscale_freq_shift',
    (row) => {
      const actual = sinusoidalEmbedding(row.timesteps, row.embedding_dim, {
        flipSinToCos: row.flip_sin_to_cos,
        frequencyShift: row.downscale_freq_shift,
      });
      expect(maxDistance(actual.data, row.result.flat())).toBeLessThan(1e-4);
    },
  );

  it.each(misc.guidance_scale_embedding)('of guidance scale $guidance_scale in $embedding_dim numbers', (row) => {
    const actual = guidanceScaleEmbedding(row.guidance_scale, row.embedding_dim);
    expect(maxDistance(actual.data, row.result)).toBeLessThan(1e-3);
  });

  it('refuse a width that holds no frequency', () => {
    expect(() => sinusoidalEmbedding([1], 1)).toThrow(/too small/);
    expect(() => guidanceScaleEmbedding(1, 2)).toThrow(/too small/);
  });
});
