import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { StudioError, describeZodError } from '#shared/errors.ts';

/** The parts of a Hugging Face tokenizer.json that a WordPiece tokenizer with BERT's rules needs. */
const TokenizerFile = z.object({
  normalizer: z.object({
    type: z.literal('BertNormalizer'),
    lowercase: z.boolean(),
    strip_accents: z.boolean().nullable(),
  }),
  model: z.object({
    type: z.literal('WordPiece'),
    unk_token: z.string(),
    continuing_subword_prefix: z.string(),
    max_input_chars_per_word: z.number().int().positive(),
    vocab: z.record(z.string(), z.number().int().min(0)),
  }),
});

export interface TextTokenizer {
  /** Token ids with start and end tokens, at most the maximum length. */
  encode(text: string): { readonly ids: number[]; readonly truncated: boolean; readonly unknown: number };
}

/** BERT's WordPiece tokenizer (Devlin et al. 2018) as tokenizer.json describes it. */
export async function openWordPiece(file: string, maxLength: number): Promise<TextTokenizer> {
  const parsed = TokenizerFile.safeParse(
    await readFile(file, 'utf8')
      .then((text) => JSON.parse(text) as unknown)
      .catch((error: unknown) => {
        throw StudioError.from(error, 'reading the tokenizer');
      }),
  );
  if (!parsed.success)
    throw new StudioError('model', `the tokenizer cannot be used: ${describeZodError(parsed.error)}`);
  const { model, normalizer } = parsed.data;
  // A Map: a text may hold words like "constructor".
  const vocabulary = new Map(Object.entries(model.vocab));
  const idOf = (token: string): number => {
    const id = vocabulary.get(token);
    if (id === undefined) throw new StudioError('model', `the tokenizer has no token ${token}`);
    return id;
  };
  const start = idOf('[CLS]');
  const end = idOf('[SEP]');
  const unknownId = idOf(model.unk_token);
  const stripAccents = normalizer.strip_accents ?? normalizer.lowercase;

  const pieces = (word: string): number[] | undefined => {
    const symbols = Array.from(word);
    if (symbols.length > model.max_input_chars_per_word) return undefined;
    const found: number[] = [];
    let from = 0;
    while (from < symbols.length) {
      let id: number | undefined;
      let to = symbols.length;
      for (; to > from; to -= 1) {
        const piece = symbols.slice(from, to).join('');
        id = vocabulary.get(from > 0 ? model.continuing_subword_prefix + piece : piece);
        if (id !== undefined) break;
      }
      if (id === undefined) return undefined;
      found.push(id);
      from = to;
    }
    return found;
  };

  return {
    encode(text) {
      const ids = [start];
      let unknown = 0;
      for (const word of splitWords(text, normalizer.lowercase, stripAccents)) {
        const found = pieces(word);
        if (found) ids.push(...found);
        else {
          ids.push(unknownId);
          unknown += 1;
        }
      }
      const truncated = ids.length > maxLength - 1;
      if (truncated) ids.length = maxLength - 1;
      ids.push(end);
      return { ids, truncated, unknown };
    },
  };
}

/** BERT's basic tokenizer: clean, space out CJK, lower case, strip accents, split at white space and punctuation. */
function splitWords(text: string, lowercase: boolean, stripAccents: boolean): string[] {
  let cleaned = '';
  for (const symbol of text) {
    const code = symbol.codePointAt(0) ?? 0;
    if (/[\t\n\r\p{Zs}]/u.test(symbol)) cleaned += ' ';
    else if (code === 0 || code === 0xfffd || /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(symbol)) continue;
    else if (isCjk(code)) cleaned += ` ${symbol} `;
    else cleaned += symbol;
  }
  if (stripAccents) cleaned = cleaned.normalize('NFD').replaceAll(/\p{Mn}/gu, '');
  if (lowercase) cleaned = Array.from(cleaned, (symbol) => symbol.toLowerCase()).join('');
  return cleaned
    .split(/\s+/u)
    .flatMap((word) => word.split(/([!-/:-@[-`{-~\p{P}])/u))
    .filter(Boolean);
}

function isCjk(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fff) ||
    (code >= 0x3400 && code <= 0x4dbf) ||
    (code >= 0x20000 && code <= 0x2a6df) ||
    (code >= 0x2a700 && code <= 0x2ceaf) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0x2f800 && code <= 0x2fa1f)
  );
}
