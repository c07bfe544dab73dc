import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { fromPixels, resizePicture } from '#engine/image/picture.ts';
import { openNetwork } from '#engine/runtime/sessions.ts';
import type { Feed, Network, SessionSettings } from '#engine/runtime/sessions.ts';
import { openWordPiece } from '#engine/spatext/wordpiece.ts';
import { dot } from '#engine/tensor/index.ts';
import { StudioError, describeZodError } from '#shared/errors.ts';
import { BATCH } from './encoder.ts';
import type { Encoder, Seen } from './encoder.ts';
import { assignAsked } from './segmenter.ts';
import type { Segmenter } from './segmenter.ts';

const PlainName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'expected a plain file name inside the folder');
const Part = z.object({ file: PlainName, sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** scorer.json: networks that only score and trained nothing. */
export const ScorerFile = z.object({
  formatVersion: z.literal(1),
  kind: z.literal('spatext-scorer'),
  name: z.string().min(1).max(200),
  licence: z.string().max(200),
  /** Side of the square pictures, red, green, blue in -1..1. */
  side: z.number().int().min(8).max(1024),
  tokenizer: Part.extend({ type: z.literal('wordpiece'), maxLength: z.number().int().min(4).max(512) }),
  /** input_ids, attention_mask, token_type_ids -> text_embeds [b, d], unit length. */
  textEncoder: Part,
  /** pixel_values [b, 3, side, side] -> image_embeds [b, d], unit length; features [b, f] if it has them. */
  imageEncoder: Part,
  /** pixel_values -> logits [b, 1 + classes, h, w]; channel 0 is the background. */
  segmenter: Part.extend({ classes: z.array(z.string()).min(1).max(10_000) }).optional(),
});
export type ScorerFile = z.infer<typeof ScorerFile>;

export interface Scorer {
  readonly encoder: Encoder;
  readonly segmenter: Segmenter | null;
  /** Names of the segmenter's classes: a vocabulary to choose the right name from. */
  readonly classes: readonly string[];
}

/**
 * Opens a folder with an independent judge, and a segmenter if it has one.
 * @throws StudioError not-found, model
 */
export async function openScorer(folder: string, settings: SessionSettings): Promise<Scorer> {
  const described = await readDescription(folder);
  const parts = [described.tokenizer, described.textEncoder, described.imageEncoder, described.segmenter];
  for (const part of parts) if (part) await checkHash(folder, part);
  const tokenizer = await openWordPiece(path.join(folder, described.tokenizer.file), described.tokenizer.maxLength);
  const open = (part: { file: string }): Promise<Network> => openNetwork(path.join(folder, part.file), settings);
  const [texts, pictures] = await Promise.all([open(described.textEncoder), open(described.imageEncoder)]);
  const shapes = described.segmenter ? await open(described.segmenter) : null;
  const { side } = described;

  const encoder: Encoder = {
    name: described.name,
    side,
    async encodeTexts(list) {
      const embeddings: Float32Array[] = [];
      for (const text of list) {
        const { ids } = tokenizer.encode(text);
        const feed = (values: number[]): Feed => ({
          data: BigInt64Array.from(values.map(BigInt)),
          shape: [1, ids.length],
        });
        const out = await texts.run({
          input_ids: feed(ids),
          attention_mask: feed(ids.map(() => 1)),
          token_type_ids: feed(ids.map(() => 0)),
        });
        embeddings.push(need(out, 'text_embeds', texts).data.slice());
      }
      return embeddings;
    },
    async encodePictures(list) {
      const seen: Seen[] = [];
      for (let from = 0; from < list.length; from += BATCH) {
        const some = list.slice(from, from + BATCH);
        const out = await pictures.run({ pixel_values: stack(some, side) });
        const embeds = rows(need(out, 'image_embeds', pictures).data, some.length);
        const features = out['features'] ? rows(out['features'].data, some.length) : embeds;
        for (const [i, embedding] of embeds.entries()) seen.push({ embedding, features: features[i] ?? embedding });
      }
      return seen;
    },
    async release() {
      for (const network of [texts, pictures, shapes]) await network?.release();
    },
  };
  const classes = described.segmenter?.classes ?? [];
  return { encoder, classes, segmenter: shapes && networkSegmenter(shapes, classes, encoder) };
}

/** A segmenter of fixed classes; a text is taken for the class whose name lies nearest to it. */
function networkSegmenter(network: Network, classes: readonly string[], encoder: Encoder): Segmenter {
  let names: Promise<Float32Array[]> | undefined;
  const known = new Map<string, number>(classes.map((name, i) => [name.toLowerCase(), i + 1]));
  const classOf = async (text: string): Promise<number | null> => {
    const key = text.trim().toLowerCase();
    if (!key) return null;
    const already = known.get(key);
    if (already !== undefined) return already;
    const [own] = await encoder.encodeTexts([key]);
    const all = await (names ??= encoder.encodeTexts(classes));
    let best = 1;
    let most = -Infinity;
    for (const [i, name] of all.entries()) {
      const cosine = own ? dot(own, name) : 0;
      if (cosine > most) {
        most = cosine;
        best = i + 1;
      }
    }
    known.set(key, best);
    return best;
  };
  return {
    name: network.name,
    async find(view) {
      const { side } = encoder;
      const small = fromPixels(await resizePicture(view.picture, side, side));
      const out = need(await network.run({ pixel_values: stack([small], side) }), 'logits', network);
      const [, channels = 0, h = 0, w = 0] = out.shape;
      if (channels !== classes.length + 1)
        throw new StudioError('model', `${network.name} has ${channels} classes, scorer.json names ${classes.length}`);
      const asked: (number | null)[] = [];
      for (const segment of view.segments) asked.push(await classOf(segment.text));
      return assignAsked(out.data, h, w, asked, view.picture.width, view.picture.height);
    },
  };
}

async function readDescription(folder: string): Promise<ScorerFile> {
  const file = path.join(folder, 'scorer.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new StudioError('not-found', `${folder} is no judge: it has no scorer.json`, {
      remedy: 'name a folder with scorer.json (docs/evaluation.md says what belongs there)',
      cause: error,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StudioError('model', `${file} is not JSON`, { cause: error });
  }
  const parsed = ScorerFile.safeParse(json);
  if (!parsed.success) throw new StudioError('model', `${file}: ${describeZodError(parsed.error)}`);
  return parsed.data;
}

async function checkHash(folder: string, part: { file: string; sha256: string }): Promise<void> {
  const bytes = await readFile(path.join(folder, part.file)).catch((error: unknown) => {
    throw StudioError.from(error, `the judge's ${part.file}`);
  });
  if (createHash('sha256').update(bytes).digest('hex') !== part.sha256)
    throw new StudioError('model', `${part.file} is not the file that scorer.json describes (its SHA-256 differs)`, {
      remedy: 'export the judge again',
    });
}

function need(
  out: Readonly<Record<string, { data: Float32Array; shape: readonly number[] }>>,
  name: string,
  network: Network,
) {
  const value = out[name];
  if (!value) throw new StudioError('model', `${network.name} has no output ${name}`);
  return value;
}

function stack(pictures: readonly Float32Array[], side: number): Feed {
  const length = 3 * side * side;
  const data = new Float32Array(pictures.length * length);
  for (const [i, picture] of pictures.entries()) data.set(picture, i * length);
  return { data, shape: [pictures.length, 3, side, side] };
}

function rows(data: Float32Array, count: number): Float32Array[] {
  const width = data.length / count;
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width));
}
