import { readFileSync } from 'node:fs';
import os from 'node:os';
import { StudioError } from '#shared/errors.ts';
import { attentionLevels } from '../checkpoints/graphs/unet-options.ts';
import type { Checkpoint } from '../checkpoints/recognise.ts';
import { parameterCount, storedBytes } from '../checkpoints/weights.ts';
import type { WeightTable } from '../checkpoints/weights.ts';
import type { OpenStock } from './open-stock.ts';

/** What a generation needs, by part, in bytes. */
export interface MemoryEstimate {
  readonly texts: number;
  readonly denoiser: number;
  readonly decoder: number;
  /** The largest sum that is needed at once. */
  readonly peak: number;
  /** Whether text encoders and denoiser have to make room for the next part. */
  readonly offload: boolean;
}

/**
 * Measured on ONNX Runtime 1.30 (bench/stock.ts): weights are mapped and count once; those in
 * half precision are widened at every pass, of which at most about this share is alive at a time.
 */
const WIDENED_SHARE = 0.36;
/** Bytes that a pass of SD 1.5 takes for each row and latent cell, in working buffers. */
const BYTES_PER_CELL = 42_000;
/** Bytes that the decoder takes for each pixel: its widest layers at full size. */
const BYTES_PER_PIXEL = 3_600;

/** A LoRA or an adapter is read, laid into the graph's description, and read from there by the runtime. */
const COPIES_OF_INLINE = 3;

function weights(table: WeightTable): number {
  const stored = storedBytes(table);
  const wide = parameterCount(table) * 4;
  return wide > stored ? stored + WIDENED_SHARE * wide : stored;
}

/** Weights that are computed when a graph is opened: in float32 for themselves, beside the file they come from. */
const widened = (table: WeightTable): number => storedBytes(table) + parameterCount(table) * 4;

/** Scores that the leak shield writes down at the level where they are most, twice: before and after the softmax. */
function shieldBytes({ table, heads }: Checkpoint['unet'], cells: number): number {
  const levels = attentionLevels(table).map(
    ({ level, halvings }) => (cells / 4 ** halvings) ** 2 * (heads[level] ?? 8),
  );
  return Math.max(...levels) * 4 * 2;
}

/** A job, as far as its memory goes. */
export interface MemoryNeeds {
  /** Passes that go through the denoiser at once. */
  readonly rows: number;
  /** Places of the latent grid. */
  readonly cells: number;
  /** Pixels of a side of such a place. */
  readonly cellSide: number;
  /** Bytes that may be used. */
  readonly free: number;
  /** With the leak shield, which writes down the score of every pair of places. */
  readonly isolated?: boolean;
  /** What lies over the checkpoint: the scene's files and the recipe's. */
  readonly over?: LaidOver;
}

/** Files over a checkpoint that take memory. */
export interface LaidOver {
  /** Instead of the checkpoint's own. */
  readonly vae: WeightTable | null;
  /** Bytes of LoRAs and adapters, which are laid into the denoiser's graph. */
  readonly inline: number;
  /** Whether weights are computed when graphs are opened (LyCORIS). */
  readonly computes: boolean;
  /** An IP-Adapter's image encoder. */
  readonly pictures: WeightTable | null;
}

const NOTHING_OVER: LaidOver = { vae: null, inline: 0, computes: false, pictures: null };

export function estimateMemory(
  { source }: Pick<OpenStock, 'source'>,
  { rows, cells, cellSide, free, isolated = false, over = NOTHING_OVER }: MemoryNeeds,
): MemoryEstimate {
  const share = { texts: 0, denoiser: 0, decoder: 0 };
  const breadth = { unet: 1, vae: 1 };
  if (source.kind === 'checkpoint') {
    const { texts, unet, vae } = source.checkpoint;
    const own = over.computes ? widened : weights;
    const decoder = over.vae ?? vae.table;
    share.texts = texts.reduce((sum, { table }) => sum + own(table), 0) + (over.pictures ? weights(over.pictures) : 0);
    share.denoiser = own(unet.table) + over.inline * COPIES_OF_INLINE;
    share.decoder = own(decoder);
    breadth.unet = (unet.table.get('conv_in.weight')?.shape[0] ?? 320) / 320;
    breadth.vae = (decoder.get('decoder.conv_out.weight')?.shape[1] ?? 128) / 128;
  } else {
    // An exported graph is read whole: its file, once more while loading, and half precision widened.
    share.denoiser = source.folder.bytes * 2;
  }
  const scores = isolated && source.kind === 'checkpoint' ? rows * shieldBytes(source.checkpoint.unet, cells) : 0;
  const denoiser = share.denoiser + rows * cells * BYTES_PER_CELL * breadth.unet + scores;
  const decoder = share.decoder + Math.min(cells, 64 * 64 * 1.5) * cellSide ** 2 * BYTES_PER_PIXEL * breadth.vae;
  const together = share.texts + denoiser + decoder;
  const apart = Math.max(share.texts, denoiser, decoder);
  const offload = together > free;
  return { texts: share.texts, denoiser, decoder, peak: offload ? apart : together, offload };
}

/** What the system says about memory. */
export interface MemoryReport {
  /** Bytes that can be had without swapping, the page cache included. */
  readonly available: number;
  /** Bytes of this process. */
  readonly resident: number;
  /** /proc/self/status, where there is one. */
  readonly status: string | null;
}

function memoryReport(): MemoryReport {
  let status: string | null = null;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    // Not Linux.
  }
  // os.freemem() does not count the page cache on Linux; availableMemory does, and knows of limits set on the process.
  return { available: process.availableMemory(), resident: process.memoryUsage.rss(), status };
}

/**
 * Bytes that this process may use: free ones, and what it already holds for itself. Pages mapped from a checkpoint are
 * in the page cache, so they are among the free ones already.
 */
export function usableMemory({ available, resident, status }: MemoryReport = memoryReport()): number {
  const own = /^RssAnon:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return available + (own === undefined ? resident : Number(own) * 1024);
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);

/** @throws StudioError 'memory' before the first pass, in words, instead of a crash after the last */
export function requireMemory(estimate: MemoryEstimate, free: number, isolated = false): void {
  if (estimate.peak <= free) return;
  throw new StudioError(
    'memory',
    `this needs about ${gigabytes(estimate.peak)} GB of memory; ${gigabytes(free)} of ${gigabytes(os.totalmem())} GB are free`,
    {
      kept: 'nothing was started',
      remedy: isolated
        ? 'switch the leak shield off, or choose a smaller canvas'
        : 'close other programs, choose a smaller canvas, or a smaller model',
      details: { texts: estimate.texts, denoiser: estimate.denoiser, decoder: estimate.decoder },
    },
  );
}
