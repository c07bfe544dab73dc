import { brotliDecompressSync } from 'node:zlib';
import { CLIP_MERGES_BROTLI_BASE64 } from './clip-merges.ts';

/** First token of every text. */
export const START_TOKEN = 49406;
/** Ends a text; also fills it up for the first text encoder of every family. */
export const END_TOKEN = 49407;
/** Number of entries; ids from here on are free for textual inversion. */
export const VOCABULARY_SIZE = 49408;
/** Tokens that a text encoder reads at once, start and end included. */
export const CONTEXT_LENGTH = 77;

const WORDS = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;
const SPECIALS = /(<\|startoftext\|>|<\|endoftext\|>)/;
/** Distinct words are few; a script could still feed endless new ones. */
const MAX_CACHED_WORDS = 20_000;

interface Vocabulary {
  /** Rank of a merge by "left right". */
  readonly ranks: ReadonlyMap<string, number>;
  readonly ids: ReadonlyMap<string, number>;
  readonly byteSymbols: readonly string[];
}

/** OpenAI's reversible alphabet: printable bytes stand for themselves, the others for characters from U+0100 on. */
function byteAlphabet(): { symbols: string[]; order: string[] } {
  const printable: number[] = [];
  for (const [from, to] of [
    [33, 126],
    [161, 172],
    [174, 255],
  ] as const)
    for (let b = from; b <= to; b++) printable.push(b);
  const symbols: string[] = [];
  for (const byte of printable) symbols[byte] = String.fromCodePoint(byte);
  const others: string[] = [];
  for (let byte = 0; byte < 256; byte++) {
    if (symbols[byte] !== undefined) continue;
    const symbol = String.fromCodePoint(256 + others.length);
    symbols[byte] = symbol;
    others.push(symbol);
  }
  return { symbols, order: [...printable.map((byte) => String.fromCodePoint(byte)), ...others] };
}

let loaded: Vocabulary | undefined;

function vocabulary(): Vocabulary {
  if (loaded) return loaded;
  const merges = brotliDecompressSync(Buffer.from(CLIP_MERGES_BROTLI_BASE64, 'base64')).toString('utf8').split('\n');
  const { symbols, order } = byteAlphabet();
  const ids = new Map<string, number>();
  for (const symbol of order) ids.set(symbol, ids.size);
  for (const symbol of order) ids.set(`${symbol}</w>`, ids.size);
  const ranks = new Map<string, number>();
  for (const merge of merges) {
    ranks.set(merge, ranks.size);
    ids.set(merge.replace(' ', ''), ids.size);
  }
  loaded = { ranks, ids, byteSymbols: symbols };
  return loaded;
}

const cache = new Map<string, readonly number[]>();

function encodeWord(word: string): readonly number[] {
  const known = cache.get(word);
  if (known) return known;
  const { ranks, ids, byteSymbols } = vocabulary();
  let parts = Array.from(new TextEncoder().encode(word), (byte) => byteSymbols[byte] ?? '');
  parts[parts.length - 1] += '</w>';
  while (parts.length > 1) {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i + 1 < parts.length; i++)
      best = Math.min(best, ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity);
    if (best === Number.POSITIVE_INFINITY) break;
    const merged: string[] = [];
    for (let i = 0; i < parts.length; i++) {
      const pair = `${parts[i]} ${parts[i + 1]}`;
      if (i + 1 < parts.length && ranks.get(pair) === best) merged.push(`${parts[i]}${parts[++i]}`);
      else merged.push(parts[i] ?? '');
    }
    parts = merged;
  }
  // Every single byte has an id, with and without the end of a word, so each part has one.
  const encoded = parts.map((part) => ids.get(part) ?? END_TOKEN);
  if (cache.size >= MAX_CACHED_WORDS) cache.clear();
  cache.set(word, encoded);
  return encoded;
}

/**
 * Lower case character by character: a whole string's toLowerCase() would turn a final sigma into
 * another letter, which CLIP's tokenizer does not.
 */
function lowerCase(text: string): string {
  let out = '';
  for (const character of text) out += character.toLowerCase();
  return out;
}

/**
 * A text as words of CLIP's vocabulary, each with its ids; without start and end, not cut.
 * The reading of the published (fast) tokenizer: NFC, no repair of broken text.
 */
export function clipWords(text: string): (readonly number[])[] {
  const words: (readonly number[])[] = [];
  for (const piece of text.split(SPECIALS)) {
    if (piece === '<|startoftext|>') words.push([START_TOKEN]);
    else if (piece === '<|endoftext|>') words.push([END_TOKEN]);
    else
      for (const [word] of lowerCase(piece.normalize('NFC').replaceAll(/\p{White_Space}+/gu, ' ')).matchAll(WORDS))
        words.push(encodeWord(word));
  }
  return words;
}

/** A text as ids; without start and end, not cut. */
export function clipIds(text: string): number[] {
  return clipWords(text).flat();
}

/** Ids as a text again, as far as they are whole characters (for showing what a model reads). */
export function clipText(tokens: readonly number[]): string {
  const { ids, byteSymbols } = vocabulary();
  const wanted = new Set(tokens);
  const byId = new Map<number, string>();
  for (const [symbol, id] of ids) if (wanted.has(id)) byId.set(id, symbol);
  const bytes = new Map(byteSymbols.map((symbol, byte) => [symbol, byte]));
  const out: number[] = [];
  for (const token of tokens) {
    const symbol = byId.get(token);
    if (symbol === undefined) continue;
    const ends = symbol.endsWith('</w>');
    for (const character of ends ? symbol.slice(0, -4) : symbol) out.push(bytes.get(character) ?? 63);
    if (ends) out.push(32);
  }
  return new TextDecoder().decode(Uint8Array.from(out)).trimEnd();
}
