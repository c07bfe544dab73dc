import { StudioError } from '#shared/errors.ts';
import { signTest, wilson } from '../statistics.ts';
import type { Estimate } from '../statistics.ts';
import { QUESTIONS } from './study.ts';
import type { QuestionId, Study, StudyAnswers } from './study.ts';

export interface QuestionTally {
  readonly question: QuestionId;
  readonly first: number;
  readonly second: number;
  readonly ties: number;
  /** Share of decided answers for the first method, with Wilson's 95 % interval. */
  readonly preferFirst: Estimate;
  /** How likely a fair coin is to be this lopsided. */
  readonly pValue: number;
  /** Scenes for which most raters prefer the first method, the second, or neither. */
  readonly scenes: { readonly first: number; readonly second: number; readonly even: number };
}

export interface RaterTally {
  readonly rater: string;
  readonly answers: number;
  /** Share of repeated comparisons answered the same way; null without any. */
  readonly consistency: number | null;
  readonly medianSeconds: number;
  /** Share of decided answers for the left side: far from one half tells of a rater who does not look. */
  readonly left: number;
  readonly counted: boolean;
}

export interface StudyTally {
  readonly methods: readonly [string, string];
  readonly questions: readonly QuestionTally[];
  readonly raters: readonly RaterTally[];
  /** What was not counted, in words. */
  readonly notes: readonly string[];
}

/** Below this share of repeats answered alike (given four or more) a rater guesses. */
const LEAST_CONSISTENCY = 0.5;

/**
 * Counts answers. Repeats measure the rater and count once. A rater who answers the repeats no better than by chance
 * is left out, and named in the notes.
 * @throws StudioError bad-input if answers belong to another study
 */
export function tallyStudy(study: Study, sheets: readonly StudyAnswers[]): StudyTally {
  const pairs = new Map(study.pairs.map((pair) => [pair.id, pair]));
  const notes: string[] = [];
  const raters: RaterTally[] = [];
  const votes = new Map<QuestionId, Map<string, { first: number; second: number; ties: number }>>(
    QUESTIONS.map(({ id }) => [id, new Map()]),
  );
  const seen = new Set<string>();
  for (const sheet of sheets) {
    if (sheet.study !== study.id)
      throw new StudioError(
        'bad-input',
        `the answers of ${sheet.rater || 'a rater'} belong to the study ${sheet.study}, not to ${study.id}`,
        {
          remedy: 'tally them with their own study.json',
        },
      );
    if (seen.has(sheet.rater)) {
      notes.push(`a second sheet of ${sheet.rater} was left out`);
      continue;
    }
    seen.add(sheet.rater);
    /** Last answer for each pair: a rater may go back and change it. */
    const choices = new Map<string, 'first' | 'second' | 'tie'>();
    let left = 0;
    let decided = 0;
    for (const { pair, choice } of sheet.answers) {
      const firstIsLeft = study.firstIsLeft[pair];
      if (!pairs.has(pair) || firstIsLeft === undefined) {
        notes.push(`${sheet.rater} answered ${pair}, which is not in the study`);
        continue;
      }
      choices.set(pair, choice === 'tie' ? 'tie' : (choice === 'left') === firstIsLeft ? 'first' : 'second');
    }
    for (const { choice } of sheet.answers) {
      if (choice === 'tie') continue;
      decided += 1;
      if (choice === 'left') left += 1;
    }
    let alike = 0;
    let repeated = 0;
    for (const [id, choice] of choices) {
      const original = pairs.get(id)?.repeats;
      const before = original ? choices.get(original) : undefined;
      if (before === undefined) continue;
      repeated += 1;
      if (before === choice) alike += 1;
    }
    const consistency = repeated > 0 ? alike / repeated : null;
    const counted = !(repeated >= 4 && (consistency ?? 1) < LEAST_CONSISTENCY);
    if (!counted) notes.push(`${sheet.rater} answered only ${alike} of ${repeated} repeats alike and was left out`);
    const times = sheet.answers.map(({ took }) => took / 1000).toSorted((a, b) => a - b);
    raters.push({
      rater: sheet.rater,
      answers: choices.size,
      consistency,
      medianSeconds: times[Math.floor(times.length / 2)] ?? 0,
      left: decided > 0 ? left / decided : 0.5,
      counted,
    });
    if (!counted) continue;
    for (const [id, choice] of choices) {
      const pair = pairs.get(id);
      if (!pair || pair.repeats) continue;
      const scenes = votes.get(pair.question);
      const count = scenes?.get(pair.scene) ?? { first: 0, second: 0, ties: 0 };
      if (choice === 'tie') count.ties += 1;
      else count[choice] += 1;
      scenes?.set(pair.scene, count);
    }
  }
  return {
    methods: study.methods,
    raters,
    notes,
    questions: QUESTIONS.map(({ id }) => {
      const scenes = [...(votes.get(id)?.values() ?? [])];
      const first = scenes.reduce((sum, count) => sum + count.first, 0);
      const second = scenes.reduce((sum, count) => sum + count.second, 0);
      return {
        question: id,
        first,
        second,
        ties: scenes.reduce((sum, count) => sum + count.ties, 0),
        preferFirst: wilson(first, first + second),
        pValue: signTest(first, first + second),
        scenes: {
          first: scenes.filter((count) => count.first > count.second).length,
          second: scenes.filter((count) => count.second > count.first).length,
          even: scenes.filter((count) => count.first === count.second).length,
        },
      };
    }),
  };
}

/** The tally as Markdown. */
export function tallyTable(tally: StudyTally): string {
  const [first, second] = tally.methods;
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
  const lines = [
    `| question | ${first} | ${second} | no difference | prefer ${first} | 95 % interval | p | scenes won |`,
    '|---|---|---|---|---|---|---|---|',
    ...tally.questions.map(({ question, first: a, second: b, ties, preferFirst: p, pValue, scenes }) => {
      const text = QUESTIONS.find(({ id }) => id === question)?.text ?? question;
      const share = a + b > 0 ? `${percent(p.value)} | ${percent(p.low)} to ${percent(p.high)}` : ' | ';
      return `| ${text} | ${a} | ${b} | ${ties} | ${share} | ${pValue < 0.001 ? '< 0.001' : pValue.toFixed(3)} | ${scenes.first} : ${scenes.second} (${scenes.even} even) |`;
    }),
    '',
    '| rater | answers | repeats alike | median s | left side | |',
    '|---|---|---|---|---|---|',
    ...tally.raters.map(
      ({ rater, answers, consistency, medianSeconds, left, counted }) =>
        `| ${rater.replaceAll('|', '\\|')} | ${answers} | ${consistency === null ? '' : percent(consistency)} | ${medianSeconds.toFixed(1)} | ${percent(left)} | ${counted ? '' : 'left out'} |`,
    ),
  ];
  if (tally.notes.length > 0) lines.push('', ...tally.notes.map((note) => `- ${note}`));
  return `${lines.join('\n')}\n`;
}
