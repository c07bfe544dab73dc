import { CONTEXT_LENGTH, END_TOKEN, START_TOKEN, clipWords } from './clip-bpe.ts';

/** A piece of a text with its weight. */
export interface WeightedText {
  readonly text: string;
  readonly weight: number;
}

/** 77 tokens as a text encoder reads them. */
export interface TokenChunk {
  /** Start, at most 75 tokens, end, then filling. */
  readonly ids: readonly number[];
  /** Of each token; 1 for start, end and filling. */
  readonly weights: readonly number[];
  /** Place of the first end token. */
  readonly end: number;
}

/** Vectors of textual inversion: their names in lower case, each with the ids that stand for its vectors. */
export type EmbeddingNames = ReadonlyMap<string, readonly number[]>;

export interface PromptOptions {
  /** Id that fills a chunk: 49407 for OpenAI's encoders, 0 for OpenCLIP's. */
  readonly pad: number;
  /** Whether brackets and (word:1.2) are read as weights; otherwise they are ordinary characters. */
  readonly weighted?: boolean;
  readonly embeddings?: EmbeddingNames;
}

const ROUND = 1.1;
/** Deeper nesting is ordinary text: 1.1 to the 64th is 445 already. */
const MAX_DEPTH = 64;
const PER_CHUNK = CONTEXT_LENGTH - 2;

/**
 * Reads weights as artists write them: (word) counts 1.1 times, [word] 1/1.1 times, (word:1.3) 1.3
 * times, brackets nest and multiply, \( is an ordinary bracket. A bracket that is never closed counts
 * to the end of the text. The notation of AUTOMATIC1111's web UI.
 */
export function parseWeights(text: string): WeightedText[] {
  const pieces: { text: string; weight: number }[] = [];
  const round: number[] = [];
  const square: number[] = [];
  const multiply = (from: number, factor: number) => {
    for (const piece of pieces.slice(from)) piece.weight *= factor;
  };
  const token = /\\[()[\]\\]|\\|\(|\[|:\s*([+-]?\d*\.?\d+)\s*\)|\)|\]|[^\\()[\]:]+|:/g;
  for (const match of text.matchAll(token)) {
    const [all, number] = match;
    if (all.startsWith('\\') && all.length > 1) pieces.push({ text: all.slice(1), weight: 1 });
    else if (all === '(' && round.length < MAX_DEPTH) round.push(pieces.length);
    else if (all === '[' && square.length < MAX_DEPTH) square.push(pieces.length);
    else if (number !== undefined && round.length > 0) multiply(round.pop() ?? 0, clampWeight(Number(number)));
    else if (all === ')' && round.length > 0) multiply(round.pop() ?? 0, ROUND);
    else if (all === ']' && square.length > 0) multiply(square.pop() ?? 0, 1 / ROUND);
    else pieces.push({ text: all, weight: 1 });
  }
  for (const from of round) multiply(from, ROUND);
  for (const from of square) multiply(from, 1 / ROUND);
  const merged: { text: string; weight: number }[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (last && Math.abs(last.weight - piece.weight) < 1e-9) last.text += piece.text;
    else merged.push({ ...piece });
  }
  return merged;
}

const clampWeight = (weight: number) => Math.min(20, Math.max(-20, weight));

interface Word {
  ids: readonly number[];
  weight: number;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_-]/u.test(character);
}

/** Splits a text at the names of embeddings that stand as words of their own. */
function splitEmbeddings(text: string, embeddings: EmbeddingNames): (string | readonly number[])[] {
  if (embeddings.size === 0) return [text];
  const names = [...embeddings.keys()].sort((a, b) => b.length - a.length);
  const lower = text.toLowerCase();
  const parts: (string | readonly number[])[] = [];
  let from = 0;
  for (let i = 0; i < lower.length;) {
    const name = isWordCharacter(lower[i - 1])
      ? undefined
      : names.find((n) => lower.startsWith(n, i) && !isWordCharacter(lower[i + n.length]));
    const ids = name === undefined ? undefined : embeddings.get(name);
    if (name === undefined || ids === undefined) {
      i += 1;
      continue;
    }
    // ComfyUI's way of writing them; the prefix itself says nothing.
    parts.push(text.slice(from, i).replace(/embedding:$/i, ''), ids);
    i += name.length;
    from = i;
  }
  parts.push(text.slice(from));
  return parts;
}

function wordsOf(text: string, options: PromptOptions): Word[] {
  const pieces = options.weighted ? parseWeights(text) : [{ text, weight: 1 }];
  const words: Word[] = [];
  for (const piece of pieces)
    for (const part of splitEmbeddings(piece.text, options.embeddings ?? new Map())) {
      if (typeof part === 'string') for (const ids of clipWords(part)) words.push({ ids, weight: piece.weight });
      else words.push({ ids: part, weight: piece.weight });
    }
  return words;
}

function chunkOf(words: readonly Word[], pad: number): TokenChunk {
  const ids = [START_TOKEN];
  const weights = [1];
  for (const word of words)
    for (const id of word.ids) {
      ids.push(id);
      weights.push(word.weight);
    }
  // The first end token is where a text encoder pools, also if an artist wrote one.
  const written = ids.indexOf(END_TOKEN);
  ids.push(END_TOKEN);
  weights.push(1);
  const end = written < 0 ? ids.length - 1 : written;
  while (ids.length < CONTEXT_LENGTH) {
    ids.push(pad);
    weights.push(1);
  }
  return { ids, weights, end };
}

/**
 * A text as chunks of 77 tokens, at least one. A word is never cut in two unless it is longer than
 * a chunk.
 */
export function tokenizePrompt(text: string, options: PromptOptions): TokenChunk[] {
  const chunks: TokenChunk[] = [];
  let open: Word[] = [];
  let length = 0;
  const close = () => {
    chunks.push(chunkOf(open, options.pad));
    open = [];
    length = 0;
  };
  for (const word of wordsOf(text, options)) {
    for (let from = 0; from < word.ids.length; from += PER_CHUNK) {
      const ids = word.ids.slice(from, from + PER_CHUNK);
      if (length + ids.length > PER_CHUNK) close();
      open.push({ ids, weight: word.weight });
      length += ids.length;
    }
  }
  if (open.length > 0 || chunks.length === 0) close();
  return chunks;
}

/** Number of tokens that count (without start, end and filling), for the interface's counter. */
export function countTokens(text: string, weighted = true): number {
  return wordsOf(text, { pad: END_TOKEN, weighted }).reduce((sum, word) => sum + word.ids.length, 0);
}

/** One chunk exactly as a tokenizer call with padding and truncation gives it. */
export function tokenizeTruncated(text: string, pad: number): TokenChunk {
  const ids = clipWords(text).flat().slice(0, PER_CHUNK);
  return chunkOf([{ ids, weight: 1 }], pad);
}
