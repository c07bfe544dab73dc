import { z } from 'zod';
import { seededRandom } from '../statistics.ts';

/** What the paper's raters were asked (SpaText, section 4.3), in words that need no explanation. */
export const QUESTIONS = [
  { id: 'quality', text: 'Which picture is better made?' },
  { id: 'text', text: 'Which picture fits the sentence better?' },
  { id: 'shapes', text: 'In which picture are the things in the drawn places, in the drawn shapes?' },
] as const;
export type QuestionId = (typeof QUESTIONS)[number]['id'];

/** One comparison as it is shown: two pictures of the same scene by two methods, sides drawn by lot. */
export const StudyPair = z.object({
  id: z.string(),
  scene: z.string(),
  question: z.enum(['quality', 'text', 'shapes']),
  text: z.string(),
  /** Files relative to the page. */
  left: z.string(),
  right: z.string(),
  /** The drawn segments with their texts; only the question about shapes shows them. */
  layout: z.string().nullable(),
  /** Asked once more with the sides swapped: tells how far a rater can be trusted. */
  repeats: z.string().nullable(),
});
export type StudyPair = z.infer<typeof StudyPair>;

/** study.json. The page does not hold `methods`: raters (and their browsers) cannot see which is which. */
export const Study = z.object({
  format: z.literal('spatext-study'),
  version: z.literal(1),
  id: z.string(),
  methods: z.tuple([z.string(), z.string()]),
  pairs: z.array(StudyPair),
  /** Whether the first method stands on the left of each pair. */
  firstIsLeft: z.record(z.string(), z.boolean()),
});
export type Study = z.infer<typeof Study>;

/** What one rater's page writes. */
export const StudyAnswers = z.object({
  format: z.literal('spatext-study-answers'),
  version: z.literal(1),
  study: z.string(),
  rater: z.string().max(100),
  answers: z
    .array(
      z.object({
        pair: z.string(),
        choice: z.enum(['left', 'right', 'tie']),
        /** Milliseconds until the choice. */
        took: z.number().min(0),
      }),
    )
    .max(100_000),
});
export type StudyAnswers = z.infer<typeof StudyAnswers>;

export interface StudyScene {
  readonly name: string;
  readonly text: string;
  readonly first: string;
  readonly second: string;
  readonly layout: string | null;
}

/**
 * Plans a study: every question for every scene, sides and order drawn by lot, and one comparison in eight asked a
 * second time with the sides swapped.
 */
export function planStudy(
  id: string,
  methods: readonly [string, string],
  scenes: readonly StudyScene[],
  seed: number,
): Study {
  const random = seededRandom(seed);
  const pairs: StudyPair[] = [];
  const firstIsLeft: Record<string, boolean> = {};
  for (const scene of scenes) {
    for (const { id: question } of QUESTIONS) {
      const flip = random(2) === 0;
      const pairId = `p${pairs.length + 1}`;
      firstIsLeft[pairId] = !flip;
      pairs.push({
        id: pairId,
        scene: scene.name,
        question,
        text: scene.text,
        left: flip ? scene.second : scene.first,
        right: flip ? scene.first : scene.second,
        layout: question === 'shapes' ? scene.layout : null,
        repeats: null,
      });
    }
  }
  const again = shuffled(pairs, random).slice(0, Math.floor(pairs.length / 8));
  for (const pair of again) {
    const repeatId = `p${pairs.length + 1}`;
    firstIsLeft[repeatId] = !firstIsLeft[pair.id];
    pairs.push({ ...pair, id: repeatId, left: pair.right, right: pair.left, repeats: pair.id });
  }
  return {
    format: 'spatext-study',
    version: 1,
    id,
    methods: [...methods],
    pairs: shuffled(pairs, random),
    firstIsLeft,
  };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: (below: number) => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) {
    const j = random(i + 1);
    const [a, b] = [out[i], out[j]];
    if (a !== undefined && b !== undefined) [out[i], out[j]] = [b, a];
  }
  return out;
}
