import { StudioError } from '#shared/errors.ts';
import type { TextStates } from '../checkpoints/regions.ts';
import type { EmbeddingNames, TokenChunk } from '../tokenizer/prompt.ts';
import { tokenizePrompt } from '../tokenizer/prompt.ts';
import type { EncodedText, StockNetworks } from './networks.ts';

export interface TextOptions {
  /** Whether (word:1.2) is a weight. */
  readonly weighted: boolean;
  readonly embeddings?: EmbeddingNames;
}

const CACHE_SIZE = 256;

/**
 * Multiplies the states of weighted tokens and brings the chunk's mean back to what it was: the
 * emphasis that artists know from AUTOMATIC1111's web UI.
 */
function emphasise(hidden: Float32Array, width: number, weights: readonly number[]): void {
  if (weights.every((weight) => weight === 1)) return;
  const mean = (values: Float32Array) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const before = mean(hidden);
  for (const [token, weight] of weights.entries())
    if (weight !== 1) for (let i = token * width; i < (token + 1) * width; i++) hidden[i] = (hidden[i] ?? 0) * weight;
  const after = mean(hidden);
  // A mean near zero would blow everything up: then the weights stand alone.
  const factor = Math.abs(after) > 1e-8 ? before / after : 1;
  if (!Number.isFinite(factor) || Math.abs(factor) > 4 || factor < 0) return;
  for (let i = 0; i < hidden.length; i++) hidden[i] = (hidden[i] ?? 0) * factor;
}

/**
 * Texts to what the denoiser reads, for one encoder or for SDXL's two (their states side by side, the
 * pooled text of the second). Long texts are read in chunks of 75 tokens. Remembers what it computed.
 */
export class TextReader {
  readonly #networks: StockNetworks;
  readonly #cache = new Map<string, EncodedText>();

  constructor(networks: StockNetworks) {
    this.#networks = networks;
  }

  /** Number of chunks a text takes; black boxes need the same for all texts of a batch. */
  chunks(text: string, options: TextOptions): number {
    return tokenizePrompt(text, { ...options, pad: 0 }).length;
  }

  /**
   * @param atLeast chunks; missing ones are read as empty texts
   * @param nothing whether an empty text stands for zeros where the model wants that (SDXL's negative text)
   */
  async read(text: string, options: TextOptions, atLeast = 1, nothing = false): Promise<EncodedText> {
    const { traits } = this.#networks;
    const zeros = nothing && traits.zerosForEmptyText && text.trim() === '';
    const names = [...(options.embeddings ?? [])].map(([name, ids]) => `${name}=${ids.join()}`).join('|');
    const key = `${zeros}/${atLeast}/${options.weighted}/${names}/${text}`;
    const known = this.#cache.get(key);
    if (known) {
      this.#cache.delete(key);
      this.#cache.set(key, known);
      return known;
    }
    const encoded = await this.#encode(text, options, atLeast, zeros);
    this.#cache.set(key, encoded);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHE_SIZE && oldest !== undefined) this.#cache.delete(oldest);
    return encoded;
  }

  async #encode(text: string, options: TextOptions, atLeast: number, zeros: boolean): Promise<EncodedText> {
    const { traits } = this.#networks;
    const chunks = traits.pads.map((pad) => {
      const list = tokenizePrompt(text, { ...options, pad });
      const [empty] = tokenizePrompt('', { pad });
      while (list.length < atLeast && empty) list.push(empty);
      return list;
    });
    const [first] = chunks;
    if (!first) throw new StudioError('internal', 'a model without text encoder');
    const outs = await this.#networks.encodeChunks(chunks);
    const tokens = first.length * 77;
    const parts = outs.map(({ hidden }, e) => {
      const width = hidden.shape.at(-1) ?? 0;
      const data = hidden.data.slice();
      for (const [c, chunk] of (chunks[e] ?? []).entries())
        emphasise(data.subarray(c * 77 * width, (c + 1) * 77 * width), width, chunk.weights);
      return { data, width };
    });
    const width = parts.reduce((sum, part) => sum + part.width, 0);
    const data = new Float32Array(tokens * width);
    let column = 0;
    for (const part of parts) {
      for (let t = 0; t < tokens; t++)
        data.set(part.data.subarray(t * part.width, (t + 1) * part.width), t * width + column);
      column += part.width;
    }
    const pooled = traits.pooledWidth === null ? null : (outs.at(-1)?.pooled ?? null);
    if (zeros) {
      data.fill(0);
      pooled?.fill(0);
    }
    const states: TextStates = { data, tokens, width };
    return { states, own: unpadded(states, first), pooled };
  }
}

/** The tokens up to each chunk's end: the encoders are causal, so these do not depend on the filling. */
function unpadded(states: TextStates, chunks: readonly TokenChunk[]): TextStates {
  const { width } = states;
  const kept = chunks.map((chunk, c) => states.data.subarray(c * 77 * width, (c * 77 + chunk.end + 1) * width));
  const data = new Float32Array(kept.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of kept) {
    data.set(part, at);
    at += part.length;
  }
  return { data, tokens: data.length / width, width };
}
