import { StudioError } from '#shared/errors.ts';

const N = 624;
const M = 397;

/** The 624 words and the position of the next one. */
export type TwisterState = { readonly words: readonly number[]; readonly position: number };

/**
 * MT19937 (Matsumoto and Nishimura 1998), the generator of numpy and of torch on a CPU.
 * Integer arithmetic only, so the stream is the same everywhere.
 */
export class MersenneTwister {
  readonly #words = new Uint32Array(N);
  #position = N;

  /** @param seed a whole number, |seed| < 2^53; its low 32 bits count (of the two's complement, if negative) */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new StudioError('bad-input', `${seed} is not a seed: a whole number is`);
    let word = Number(BigInt.asUintN(32, BigInt(seed)));
    this.#words[0] = word;
    for (let i = 1; i < N; i++) {
      word = (Math.imul(1812433253, word ^ (word >>> 30)) + i) >>> 0;
      this.#words[i] = word;
    }
  }

  /** The next 32 random bits. */
  next(): number {
    if (this.#position >= N) this.#twist();
    let y = this.#words[this.#position++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** Uniform in [0, 1), the low 24 bits of one word: torch's float32. */
  uniform24(): number {
    return (this.next() & 0xffffff) / 0x1000000;
  }

  /** Uniform in [0, 1), the low 53 bits of two words, the first being the high one: torch's float64. */
  uniform53(): number {
    const high = this.next() & 0x1fffff;
    return (high * 0x100000000 + this.next()) / 2 ** 53;
  }

  save(): TwisterState {
    return { words: [...this.#words], position: this.#position };
  }

  restore(state: TwisterState): void {
    if (state.words.length !== N || !Number.isInteger(state.position) || state.position < 0 || state.position > N)
      throw new StudioError('bad-input', 'this is not the state of a random number generator');
    this.#words.set(state.words);
    this.#position = state.position;
  }

  #twist(): void {
    const w = this.#words;
    for (let i = 0; i < N; i++) {
      const y = ((w[i] as number) & 0x80000000) | ((w[(i + 1) % N] as number) & 0x7fffffff);
      w[i] = (w[(i + M) % N] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}
