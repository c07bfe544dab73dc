import { copyFile, mkdtemp, rm, symlink, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CHECKPOINTS } from '../checkpoints/graphs/fixtures.testkit.ts';
import { recogniseCheckpoint } from '../checkpoints/recognise.ts';
import { CheckpointNetworks } from './checkpoint-networks.ts';
import type * as GraphSessions from './graph-session.ts';

let harm: (() => Promise<void>) | undefined;
vi.mock('./graph-session.ts', async (original) => {
  const real = await original<typeof GraphSessions>();
  return {
    ...real,
    async openGraph(...args: Parameters<typeof real.openGraph>) {
      await harm?.();
      return real.openGraph(...args);
    },
  };
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'networks-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a file that is cut while its network is being opened is told as what it is; put back, it opens', async () => {
  const path = join(folder, 'going.safetensors');
  await copyFile(join(CHECKPOINTS, 'sd15-tiny.safetensors'), path);
  await symlink(join(CHECKPOINTS, 'sd15-tiny.config'), join(folder, 'going.config'));
  const open = async () =>
    new CheckpointNetworks(await recogniseCheckpoint(path), {}, { providers: ['cpu'], threads: 1 });
  const latent = { data: new Float32Array(4 * 4 * 4), shape: [1, 4, 4, 4] };

  harm = () => truncate(path, 5000);
  const networks = await open();
  await expect(networks.decode(latent)).rejects.toThrow('going.safetensors was changed while it was in use');
  await networks.release();

  harm = undefined;
  await copyFile(join(CHECKPOINTS, 'sd15-tiny.safetensors'), path);
  const again = await open();
  expect((await again.decode(latent)).data.every(Number.isFinite)).toBe(true);
  await again.release();
});
