import { parameterCount } from '../checkpoints/weights.ts';
import type { Speed } from '../pipelines/pace.ts';
import type { ChosenDevice } from '../runtime/devices.ts';
import type { OpenStock } from './open-stock.ts';

/** The latent cells of a picture of size 1: 512 x 512 where a cell has 8 pixels. */
export const CELLS_OF_SIZE_ONE = 4096;

/**
 * Milliseconds of one processor thread for a parameter and a thousand cells: SD 1.5 takes 10.3 s for a pass at
 * 512 x 512 and SDXL 24 s (bench/results/stock-*.json), which is nearly the same for each parameter.
 */
const PASS_MS = 2.7e-6;
/** Milliseconds of one thread for developing a cell: 31.5 s for 512 x 512, the same network in every family. */
const DECODE_MS = 7.7;
/** More threads help, but not all the way. */
const THREADS_SHARE = 0.8;

/** What a model should cost before anything of it was measured here: a rough figure, for the first job only. */
export function expectedSpeed(opened: OpenStock, { threads }: Pick<ChosenDevice, 'threads'>): Speed {
  const { source } = opened;
  const parameters =
    // A folder's bytes are mostly its denoiser's, in float32.
    source.kind === 'checkpoint' ? parameterCount(source.checkpoint.unet.table) : source.folder.bytes / 4;
  // The autoencoder of the tiny models in the tests is as much smaller as its first layer is.
  const width =
    source.kind === 'checkpoint' ? (source.checkpoint.vae.table.get('decoder.conv_out.weight')?.shape[1] ?? 128) : 128;
  const speedup = 1 + (Math.max(1, threads) - 1) * THREADS_SHARE;
  return {
    passMs: Math.max(0.01, (parameters * PASS_MS * CELLS_OF_SIZE_ONE) / 1000 / speedup),
    tailMs: (DECODE_MS * CELLS_OF_SIZE_ONE * (width / 128) ** 2) / speedup,
  };
}
