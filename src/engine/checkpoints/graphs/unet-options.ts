import type { GraphBuilder, Value } from '../onnx/graph.ts';
import type { WeightTable } from '../weights.ts';
import { countChildren } from '../weights.ts';
import type { AttentionStyle, WeightChanges } from './network.ts';

/** Key and value projections that an IP-Adapter adds to each cross-attention, by the attention's path. */
export interface IpAdapterLayers {
  /** Tokens of one image. */
  readonly tokens: number;
  projection(graph: GraphBuilder, attention: string, part: 'k' | 'v'): Value;
}

export interface UnetOptions {
  /** Attention heads of each level, first the widest picture. No file tells them. */
  readonly heads: readonly number[];
  /** Groups of the norms: 32 in every published model. */
  readonly groups: number;
  /** Numbers that embed each of SDXL's six sizes: 256 in the published model. */
  readonly timeIdWidth?: number;
  /** The leak shield: self-attention reads places of its own segment only. */
  readonly isolation?: IsolationOptions;
  readonly ipAdapter?: IpAdapterLayers;
  readonly changes?: WeightChanges;
  readonly attention?: AttentionStyle;
}

export interface IsolationOptions {
  /**
   * `strict`: a place reads only places with its own label. `segments`: places outside every
   * segment are read by all and read all; only segments are kept apart.
   */
  readonly mode: 'strict' | 'segments';
  /** Which transformer blocks, counted in the order of the network; both ends included. */
  readonly from: number;
  readonly to: number;
}

/** One level at which the network attends, as the caller must prepare its bias. */
export interface AttentionLevel {
  readonly level: number;
  /** The picture's sides are halved (rounding up) this often. */
  readonly halvings: number;
  /** Name of the bias input. */
  readonly bias: string;
  /** Names of the inputs that exist with the leak shield and with an IP-Adapter. */
  readonly labels: string;
  readonly ipScale: string;
}

/** The levels of a UNet that attend: SDXL has none on the latents' own. */
export function attentionLevels(table: WeightTable): AttentionLevel[] {
  const levels = countChildren(table, 'down_blocks');
  const seen = new Set<number>([levels - 1]);
  for (let level = 0; level < levels; level++) {
    if (table.has(`down_blocks.${level}.attentions.0.norm.weight`)) seen.add(level);
    if (table.has(`up_blocks.${levels - 1 - level}.attentions.0.norm.weight`)) seen.add(level);
  }
  return [...seen]
    .sort((a, b) => a - b)
    .map((level) => ({
      level,
      halvings: level,
      bias: `cross_bias_${level}`,
      labels: `labels_${level}`,
      ipScale: `ip_scale_${level}`,
    }));
}
