import type { TextStates } from '../checkpoints/regions.ts';
import type { IpImage } from '../checkpoints/ip-adapter.ts';
import type { TokenChunk } from '../tokenizer/prompt.ts';
import type { Tensor } from '../tensor/index.ts';
import type { SchedulerConfig } from '../schedulers/index.ts';

/** What a stock model is, whichever way it is stored. */
export interface StockTraits {
  readonly name: string;
  readonly family: 'sd1' | 'sd2' | 'sdxl' | 'lcm';
  /** As the model's own folder or family says; artists may choose another sampler. */
  readonly scheduler: SchedulerConfig;
  /** 4, or 9 for an inpainting model (latents, mask, masked picture). */
  readonly inputChannels: number;
  readonly latentChannels: number;
  /** Pixels of one latent cell: 8 in every published model. */
  readonly latentCell: number;
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** Whether segments go inside the network; otherwise they are made around it (MultiDiffusion). */
  readonly regional: boolean;
  /** Width of the guidance embedding that an LCM reads instead of a second pass; null: it reads none. */
  readonly guidanceWidth: number | null;
  /** SDXL: no negative text stands for zeros. */
  readonly zerosForEmptyText: boolean;
  /** SDXL: the network reads a pooled text and the picture's sizes. */
  readonly pooledWidth: number | null;
  /** Ids that fill up a text, one for each text encoder. */
  readonly pads: readonly number[];
}

/** A text as the denoiser reads it. */
export interface EncodedText {
  /** All tokens, filling included: how a global text is read. */
  readonly states: TextStates;
  /** Without the filling: how a segment's text is read. */
  readonly own: TextStates;
  readonly pooled: Float32Array | null;
}

/** One row of a batch for the denoiser. */
export interface StockRow {
  /** [inputChannels, h, w], scaled for the timestep. */
  readonly sample: Float32Array;
  readonly base: EncodedText;
  /** By segment; undefined: the base is read there. Empty for a network without regions. */
  readonly segments: readonly (EncodedText | undefined)[];
  readonly images: readonly IpImage[];
}

/** What all rows of a call share. */
export interface StockCall {
  readonly timestep: number;
  readonly latent: { readonly height: number; readonly width: number };
  /** Size of the whole picture in pixels, which SDXL is told. */
  readonly picture: { readonly height: number; readonly width: number };
  /** One mask per segment, bottom to top, coverage 0..1 on the latent grid. */
  readonly masks: readonly ArrayLike<number>[];
  /** Guidance scale that an LCM is told. */
  readonly guidance: number;
  /** The leak shield: places of a segment do not look at those of other segments. */
  readonly isolate: boolean;
}

/** The networks of a stock model. Each part is opened by its first use; calls block the engine's event loop. */
export interface StockNetworks {
  readonly traits: StockTraits;
  /**
   * @param chunks for each text encoder one list of 77 tokens each, of the same length
   * @returns for each encoder: hidden states [chunks * 77, width], and the pooled text where one is read
   */
  encodeChunks(chunks: readonly (readonly TokenChunk[])[]): Promise<{ hidden: Tensor; pooled: Float32Array | null }[]>;
  /** @returns [rows, latentChannels, h, w] */
  denoise(rows: readonly StockRow[], call: StockCall): Promise<Tensor>;
  /** Latents [1, 4, h, w] as the decoder takes them (divided by the scaling factor) to [1, 3, H, W] in about -1..1. */
  decode(latent: Tensor): Promise<Tensor>;
  /** Picture [1, 3, H, W] in -1..1 to mean and log variance [1, 4, h, w], not multiplied by the scaling factor. */
  encode(image: Tensor): Promise<{ mean: Tensor; logVariance: Tensor }>;
  /** Closes a part to make room; it opens again by itself. */
  rest(part: 'texts' | 'denoiser' | 'autoencoder'): Promise<void>;
  release(): Promise<void>;
}
