import { StudioError } from '#shared/errors.ts';
import { cosSinOfTurn, log } from './elementary.ts';
import { MersenneTwister, type TwisterState } from './mersenne-twister.ts';
import { concat, elementsOf, type Tensor } from './tensor.ts';

/** Everything that decides what a NoiseStream gives next. */
export type NoiseState = { readonly twister: TwisterState; readonly spare: number | null };

/** Numbers drawn in blocks of this size once a request is at least as large (ATen's normal_fill). */
const BLOCK = 16;

/**
 * Seeded normal noise. The stream is the one of `torch.randn` with a CPU generator, so a seed means the same noise
 * as in diffusers, and it is the same on every platform (see elementary.ts).
 *
 * - MT19937 seeded with the low 32 bits of the seed.
 * - A request of 16 numbers or more is filled with uniform numbers u (the low 24 bits of a word / 2^24). Then each
 *   block of 16 becomes, for j < 8: r = sqrt(-2 ln(1 - u[j])), w = 2 pi u[j + 8], out[j] = r cos w,
 *   out[j + 8] = r sin w. If the count is no multiple of 16, the last 16 numbers are drawn anew.
 * - A smaller request takes two uniform numbers of 53 bits per pair (u1, u2; two words each, the high one first):
 *   r = sqrt(-2 ln(1 - u2)), w = 2 pi u1; r cos w comes first, r sin w is kept for the next small request.
 *
 * Arithmetic is float64, rounded to float32 at the end; torch computes in float32 and is at most 7e-7 away.
 * Because of the block rule the noise of a batch is not the noises of its samples behind each other: give each
 * sample its own stream (see normalBatch), and a picture does not depend on what else was in its batch.
 */
export class NoiseStream {
  readonly #twister: MersenneTwister;
  #spare: number | null = null;

  /** @param seed a whole number, |seed| < 2^53; only its low 32 bits count, as in torch */
  constructor(seed: number) {
    this.#twister = new MersenneTwister(seed);
  }

  static restore(state: NoiseState): NoiseStream {
    const stream = new NoiseStream(0);
    stream.#twister.restore(state.twister);
    stream.#spare = state.spare;
    return stream;
  }

  /** A copy of the state; a restored stream goes on exactly here. */
  save(): NoiseState {
    return { twister: this.#twister.save(), spare: this.#spare };
  }

  /** Standard normal numbers. */
  normal(shape: readonly number[]): Tensor {
    const data = new Float32Array(elementsOf(shape));
    if (data.length >= BLOCK) this.#fillBlocks(data);
    else for (let i = 0; i < data.length; i++) data[i] = this.#next();
    return { data, shape };
  }

  #fillBlocks(data: Float32Array): void {
    for (let i = 0; i < data.length; i++) data[i] = this.#twister.uniform24();
    for (let start = 0; start + BLOCK <= data.length; start += BLOCK) toNormal(data, start);
    if (data.length % BLOCK === 0) return;
    const tail = data.length - BLOCK;
    for (let i = tail; i < data.length; i++) data[i] = this.#twister.uniform24();
    toNormal(data, tail);
  }

  #next(): number {
    if (this.#spare !== null) {
      const kept = this.#spare;
      this.#spare = null;
      return kept;
    }
    const u1 = this.#twister.uniform53();
    const u2 = this.#twister.uniform53();
    const r = Math.sqrt(-2 * log(1 - u2));
    const [cosine, sine] = cosSinOfTurn(u1);
    this.#spare = r * sine;
    return r * cosine;
  }
}

/** Box-Muller on one block of uniform numbers, in place. */
function toNormal(data: Float32Array, start: number): void {
  for (let j = start; j < start + BLOCK / 2; j++) {
    const r = Math.sqrt(-2 * log(1 - (data[j] as number)));
    const [cosine, sine] = cosSinOfTurn(data[j + BLOCK / 2] as number);
    data[j] = r * cosine;
    data[j + BLOCK / 2] = r * sine;
  }
}

/** One sample from each stream, as a batch of shape [streams, ...sample]. */
export function normalBatch(streams: readonly NoiseStream[], sample: readonly number[]): Tensor {
  if (streams.length === 0) throw new StudioError('bad-input', 'a batch of noise needs at least one seed');
  return concat(streams.map((stream) => stream.normal([1, ...sample])));
}
