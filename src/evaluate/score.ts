import { dot } from '#engine/tensor/index.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { maskIou } from '#shared/masks/mask.ts';
import { slotOf, slotText, sceneOf, segmentsOf } from '#shared/document/document.ts';
import type { Encoder } from './encoder.ts';
import { viewSample } from './sample.ts';
import type { Sample } from './sample.ts';
import type { Segmenter } from './segmenter.ts';

/** What was measured of one segment. Cosines are those of unit vectors, -1..1; distances are one minus them. */
export interface SegmentRow {
  readonly sample: string;
  readonly segment: SegmentId;
  readonly text: string;
  /** How many segments its scene has. */
  readonly segments: number;
  readonly area: number;
  /** With its own text; null for a segment without words. */
  readonly cosine: number | null;
  /** The mean over the other texts of the set: what shuffling the texts would give. */
  readonly shuffledCosine: number | null;
  /** Place of its own text among all candidates, 1 is best. */
  readonly rank: number | null;
  /** Chance that another text of the set would have been among the first one, and the first five. */
  readonly shuffledTop1: number | null;
  readonly shuffledTop5: number | null;
  readonly iou: number | null;
}

/** What was measured of one whole picture. */
export interface SampleRow {
  readonly sample: string;
  readonly text: string;
  readonly segments: number;
  readonly cosine: number | null;
  readonly shuffledCosine: number | null;
}

export interface SetScores {
  readonly samples: SampleRow[];
  readonly segments: SegmentRow[];
  /** Of the whole pictures, for distances of distributions. */
  readonly features: Float32Array[];
}

/** Texts with their embeddings, each encoded once. */
export interface TextBank {
  readonly embeddings: ReadonlyMap<string, Float32Array>;
  /** What a segment's crop may be called: the set's own local texts and the vocabulary. */
  readonly candidates: readonly string[];
  readonly localTexts: readonly string[];
  readonly globalTexts: readonly string[];
}

/** Collects and encodes all texts of the sets. @param vocabulary more names that a crop could be mistaken for */
export async function buildTextBank(
  samples: readonly Sample[],
  vocabulary: readonly string[],
  encoder: Encoder,
): Promise<TextBank> {
  const local = new Set<string>();
  const global = new Set<string>();
  for (const { document } of samples) {
    const text = sceneOf(document).text.trim();
    if (text) global.add(text);
    for (const segment of segmentsOf(document)) {
      const words = slotText(document, slotOf(document, segment.slot).content);
      if (segment.visible && words) local.add(words);
    }
  }
  const candidates = [...new Set([...local, ...vocabulary.map((name) => name.trim()).filter(Boolean)])];
  const all = [...new Set([...candidates, ...global])];
  const encoded = await encoder.encodeTexts(all);
  const embeddings = new Map<string, Float32Array>();
  for (const [i, text] of all.entries()) {
    const embedding = encoded[i];
    if (embedding) embeddings.set(text, embedding);
  }
  return { embeddings, candidates, localTexts: [...local], globalTexts: [...global] };
}

const words = (text: string): string =>
  ` ${text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `;

/** "dog" is no mistake for "a brown dog", nor the other way round. */
export const saysTheSame = (a: string, b: string): boolean =>
  words(a).includes(words(b)) || words(b).includes(words(a));

/** Measures every sample with one encoder. @param onSample called after each */
export async function scoreSamples(
  samples: readonly Sample[],
  encoder: Encoder,
  bank: TextBank,
  segmenter: Segmenter | null,
  onSample: (done: number) => void = () => undefined,
): Promise<SetScores> {
  const scores: SetScores = { samples: [], segments: [], features: [] };
  const rivals = new Map<string, readonly string[]>();
  const rivalsOf = (text: string): readonly string[] => {
    const known = rivals.get(text) ?? bank.candidates.filter((other) => !saysTheSame(other, text));
    rivals.set(text, known);
    return known;
  };
  for (const [done, sample] of samples.entries()) {
    const view = await viewSample(sample, encoder.side);
    const seen = await encoder.encodePictures([view.whole, ...view.segments.map(({ crop }) => crop)]);
    const found = segmenter ? await segmenter.find(view) : [];
    const cosineWith = (index: number, text: string): number => {
      const [picture, embedding] = [seen[index]?.embedding, bank.embeddings.get(text)];
      return picture && embedding ? dot(picture, embedding) : 0;
    };
    const shuffled = (index: number, own: string, texts: readonly string[]): number | null => {
      const others = texts.filter((text) => text !== own);
      if (others.length === 0) return null;
      return others.reduce((sum, text) => sum + cosineWith(index, text), 0) / others.length;
    };
    scores.samples.push({
      sample: view.name,
      text: view.globalText,
      segments: view.segments.length,
      cosine: view.globalText ? cosineWith(0, view.globalText) : null,
      shuffledCosine: view.globalText ? shuffled(0, view.globalText, bank.globalTexts) : null,
    });
    if (seen[0]) scores.features.push(seen[0].features);
    for (const [i, segment] of view.segments.entries()) {
      const index = i + 1;
      const { text, mask } = segment;
      const own = text ? cosineWith(index, text) : null;
      const rank = own === null ? null : 1 + rivalsOf(text).filter((other) => cosineWith(index, other) >= own).length;
      const mistaken = text ? chanceOfOthers(bank, text, (other) => cosineWith(index, other)) : null;
      const place = found[i];
      scores.segments.push({
        sample: view.name,
        segment: segment.id,
        text,
        segments: view.segments.length,
        area: segment.area,
        cosine: own,
        shuffledCosine: text ? shuffled(index, text, bank.localTexts) : null,
        rank,
        shuffledTop1: mistaken?.top1 ?? null,
        shuffledTop5: mistaken?.top5 ?? null,
        iou: place ? maskIou(place, mask) : null,
      });
    }
    onSample(done + 1);
  }
  return scores;
}

/** How often a text of another segment would have ranked among the first, had it been the segment's. */
function chanceOfOthers(
  bank: TextBank,
  own: string,
  cosineWith: (text: string) => number,
): { top1: number; top5: number } | null {
  const others = bank.localTexts.filter((text) => !saysTheSame(text, own));
  if (others.length === 0) return null;
  const ranked = bank.candidates
    .map((text) => ({ text, cosine: cosineWith(text) }))
    .toSorted((a, b) => b.cosine - a.cosine);
  const first = new Set(ranked.slice(0, 1).map(({ text }) => text));
  const five = new Set(ranked.slice(0, 5).map(({ text }) => text));
  return {
    top1: others.filter((text) => first.has(text)).length / others.length,
    top5: others.filter((text) => five.has(text)).length / others.length,
  };
}
