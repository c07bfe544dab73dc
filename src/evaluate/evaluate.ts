import type { Picture } from '#engine/image/picture.ts';
import { wholeCrop } from '#engine/spatext/crops.ts';
import { fitGaussian, frechetDistance, kernelDistance } from './distribution.ts';
import type { Encoder } from './encoder.ts';
import { differenceOf, figuresOf, shuffledFigures, splitByArea, splitByCount } from './figures.ts';
import type { Difference, Figures, Split } from './figures.ts';
import type { Sample } from './sample.ts';
import { buildTextBank, scoreSamples } from './score.ts';
import type { SampleRow, SegmentRow } from './score.ts';
import type { Segmenter } from './segmenter.ts';

export interface EvaluationInput {
  /** Folders of results, each with a name for its row. */
  readonly sets: readonly { readonly name: string; readonly samples: readonly Sample[] }[];
  /** True pictures of the same scenes: the upper bound. */
  readonly truth: readonly Sample[];
  /** Any pictures of the kind that should be made, for the distances of distributions. */
  readonly reference: readonly (() => Promise<Picture>)[];
  readonly encoder: Encoder;
  readonly segmenter: Segmenter | null;
  readonly vocabulary: readonly string[];
  readonly progress?: (done: number, total: number) => void;
}

export interface SetEvaluation {
  readonly name: string;
  readonly figures: Figures;
  /** The lower bound: held against the texts of other segments and scenes. */
  readonly shuffled: Figures;
  readonly byCount: readonly Split[];
  readonly byArea: readonly Split[];
  /** Distances of the pictures from the reference; null without one, or with a single picture. */
  readonly distribution: { readonly frechet: number; readonly kernel: number; readonly pictures: number } | null;
  /** Against the first set. */
  readonly difference: Difference | null;
  readonly rows: { readonly samples: readonly SampleRow[]; readonly segments: readonly SegmentRow[] };
}

export interface Evaluation {
  readonly encoder: string;
  readonly segmenter: string | null;
  readonly candidates: number;
  readonly reference: { readonly pictures: number; readonly width: number } | null;
  readonly truth: { readonly figures: Figures; readonly shuffled: Figures } | null;
  readonly sets: readonly SetEvaluation[];
}

/** The paper's automatic metrics (SpaText, section 4.2) over folders of results. */
export async function evaluate(input: EvaluationInput): Promise<Evaluation> {
  const { encoder, segmenter } = input;
  const everything = [...input.sets.flatMap(({ samples }) => samples), ...input.truth];
  const total = everything.length + input.reference.length;
  let done = 0;
  const tick = (): void => input.progress?.((done += 1), total);
  const bank = await buildTextBank(everything, input.vocabulary, encoder);

  const reference: Float32Array[] = [];
  for (const read of input.reference) {
    const [seen] = await encoder.encodePictures([await wholeCrop(await read(), encoder.side)]);
    if (seen) reference.push(seen.features);
    tick();
  }
  const target = reference.length >= 2 ? fitGaussian(reference) : null;
  const truth = await scoreSamples(input.truth, encoder, bank, segmenter, tick);
  const scored = [];
  for (const { name, samples } of input.sets)
    scored.push({ name, scores: await scoreSamples(samples, encoder, bank, segmenter, tick) });

  const first = scored[0];
  return {
    encoder: encoder.name,
    segmenter: segmenter?.name ?? null,
    candidates: bank.candidates.length,
    reference: target && { pictures: reference.length, width: target.mean.length },
    truth:
      truth.samples.length > 0
        ? {
            figures: figuresOf(truth.samples, truth.segments),
            shuffled: shuffledFigures(truth.samples, truth.segments),
          }
        : null,
    sets: scored.map(({ name, scores }): SetEvaluation => ({
      name,
      figures: figuresOf(scores.samples, scores.segments),
      shuffled: shuffledFigures(scores.samples, scores.segments),
      byCount: splitByCount(scores),
      byArea: splitByArea(scores),
      distribution:
        target && scores.features.length >= 2
          ? {
              frechet: frechetDistance(fitGaussian(scores.features), target),
              kernel: kernelDistance(scores.features, reference),
              pictures: scores.features.length,
            }
          : null,
      difference: first && first.scores !== scores ? differenceOf(scores, first.scores) : null,
      rows: { samples: scores.samples, segments: scores.segments },
    })),
  };
}
