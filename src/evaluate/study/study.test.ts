import { describe, expect, test } from 'vitest';
import { COLOURS, paint, sampleOf, sceneOfThings } from '../evaluate.testkit.ts';
import { makeStudy } from './make.ts';
import { QUESTIONS, Study, StudyAnswers, planStudy } from './study.ts';
import type { StudyScene } from './study.ts';
import { tallyStudy, tallyTable } from './tally.ts';

const scenes = (count: number): StudyScene[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `s${i}`,
    text: `text ${i}`,
    first: `pictures/a${i}.png`,
    second: `pictures/b${i}.png`,
    layout: `pictures/l${i}.svg`,
  }));
const plan = (count = 40, seed = 7) => planStudy('study1', ['ours', 'theirs'], scenes(count), seed);
const isFirst = (file: string): boolean => file.startsWith('pictures/a');

describe('planStudy', () => {
  test('every question for every scene; firstIsLeft tells the truth', () => {
    const study = plan();
    const originals = study.pairs.filter((pair) => !pair.repeats);
    expect(originals).toHaveLength(40 * QUESTIONS.length);
    for (const pair of study.pairs) {
      expect(isFirst(pair.left)).toBe(study.firstIsLeft[pair.id]);
      expect(isFirst(pair.right)).toBe(!study.firstIsLeft[pair.id]);
      expect(pair.layout === null).toBe(pair.question !== 'shapes');
    }
    expect(Study.parse(JSON.parse(JSON.stringify(study)))).toEqual(study);
  });
  test('sides are drawn by lot, order too, the same for the same seed', () => {
    const study = plan(100);
    const left = study.pairs.filter((pair) => isFirst(pair.left)).length / study.pairs.length;
    expect(left).toBeGreaterThan(0.4);
    expect(left).toBeLessThan(0.6);
    expect(study.pairs.map(({ id }) => id)).not.toEqual(study.pairs.map((_, i) => `p${i + 1}`));
    expect(plan(100)).toEqual(study);
    expect(plan(100, 8)).not.toEqual(study);
  });
  test('one in eight is asked again with the sides swapped', () => {
    const study = plan();
    const repeats = study.pairs.filter((pair) => pair.repeats);
    expect(repeats).toHaveLength(15);
    for (const pair of repeats) {
      const original = study.pairs.find(({ id }) => id === pair.repeats)!;
      expect([pair.left, pair.right, pair.question]).toEqual([original.right, original.left, original.question]);
    }
  });
});

/** A rater who prefers the first method with the given share, by a fixed pattern. */
function sheet(
  study: Study,
  rater: string,
  prefers: (pair: Study['pairs'][number], i: number) => 'first' | 'second' | 'tie',
): StudyAnswers {
  return StudyAnswers.parse({
    format: 'spatext-study-answers',
    version: 1,
    study: study.id,
    rater,
    answers: study.pairs.map((pair, i) => {
      const wish = prefers(pair, i);
      const choice = wish === 'tie' ? 'tie' : (wish === 'first') === study.firstIsLeft[pair.id] ? 'left' : 'right';
      return { pair: pair.id, choice, took: 2000 + i };
    }),
  });
}
const number = (pair: { scene: string }): number => Number(pair.scene.slice(1));

describe('tallyStudy', () => {
  const study = plan();
  test('counts by method, not by side; repeats count once; intervals around the truth', () => {
    // Three in four scenes go to the first method, whichever side it stands on.
    const tally = tallyStudy(study, [sheet(study, 'A', (pair) => (number(pair) % 4 ? 'first' : 'second'))]);
    for (const question of tally.questions) {
      expect([question.first, question.second, question.ties]).toEqual([30, 10, 0]);
      expect(question.preferFirst.low).toBeCloseTo(0.5981, 3);
      expect(question.pValue).toBeCloseTo(0.00222, 4);
      expect(question.scenes).toEqual({ first: 30, second: 10, even: 0 });
    }
    expect(tally.raters[0]).toMatchObject({ rater: 'A', consistency: 1, counted: true, answers: 135 });
    expect(tally.raters[0]!.left).toBeGreaterThan(0.35);
  });
  test('no difference is nobody’s vote; several raters add up', () => {
    const tally = tallyStudy(study, [
      sheet(study, 'A', () => 'tie'),
      sheet(study, 'B', (pair) => (pair.question === 'quality' ? 'second' : 'first')),
    ]);
    expect(tally.questions.map(({ first, second, ties }) => [first, second, ties])).toEqual([
      [0, 40, 40],
      [40, 0, 40],
      [40, 0, 40],
    ]);
  });
  test('who clicks always left is found out and left out', () => {
    const lazy: StudyAnswers = {
      ...sheet(study, 'L', () => 'first'),
      answers: study.pairs.map(({ id }) => ({ pair: id, choice: 'left', took: 300 })),
    };
    const tally = tallyStudy(study, [lazy, sheet(study, 'A', () => 'first')]);
    expect(tally.raters.find(({ rater }) => rater === 'L')).toMatchObject({ counted: false, consistency: 0, left: 1 });
    expect(tally.questions[0]).toMatchObject({ first: 40, second: 0 });
    expect(tally.notes.join()).toContain('L answered only 0 of 15 repeats alike');
    expect(tallyTable(tally)).toContain('| L | 135 | 0 % | 0.3 | 100 % | left out |');
  });
  test('another study’s answers are refused; a second sheet and unknown pairs are named', () => {
    const other = sheet(plan(3), 'A', () => 'first');
    expect(() => tallyStudy(study, [{ ...other, study: 'study2' }])).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('study2') as string }),
    );
    const strange = { ...other, answers: [{ pair: 'p9999', choice: 'left' as const, took: 1 }] };
    const tally = tallyStudy(study, [strange, { ...strange }]);
    expect(tally.notes).toEqual(['A answered p9999, which is not in the study', 'a second sheet of A was left out']);
    expect(tallyTable(tally)).toContain('| 0 | 0 | 0 |');
  });
  test('an answer changed later counts as changed', () => {
    const pair = study.pairs.find((one) => !one.repeats)!;
    const change = (choice: 'left' | 'right') => ({ pair: pair.id, choice, took: 1 });
    const tally = tallyStudy(study, [
      { ...sheet(study, 'A', () => 'tie'), answers: [change('left'), change('right')] },
    ]);
    const counted = tally.questions.find(({ question }) => question === pair.question)!;
    expect([counted.first, counted.second]).toEqual(study.firstIsLeft[pair.id] ? [0, 1] : [1, 0]);
  });
});

describe('makeStudy', () => {
  const document = (text: string) =>
    sceneOfThings(text, [{ text: '<b>fox</b>', shapes: [{ kind: 'ellipse', cx: 60, cy: 60, rx: 30, ry: 20 }] }]);
  const samples = (ground: 'red' | 'blue', count: number) =>
    Array.from({ length: count }, (_, i) =>
      sampleOf(
        `s${i}`,
        document(`</script><img src=x> ${i}`),
        paint(document(''), COLOURS[ground]!, [COLOURS['green']!]),
      ),
    );

  test('pages and pictures give no method away and cannot be broken by a text', async () => {
    const files = new Map<string, Uint8Array>();
    const study = await makeStudy({
      methods: ['secret-ours', 'secret-theirs'],
      first: samples('red', 3),
      second: samples('blue', 2),
      seed: 3,
      write: async (name, bytes) => files.set(name, bytes),
    });
    // Two scenes are common to both: three questions each.
    expect(study.pairs).toHaveLength(6);
    const page = new TextDecoder().decode(files.get('index.html'));
    expect(page).not.toContain('secret');
    expect(page).not.toContain('firstIsLeft');
    expect(page).not.toContain('</script><img');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    for (const pair of study.pairs) {
      for (const file of [pair.left, pair.right]) {
        expect(file).toMatch(/^pictures\/\d{6}\.png$/);
        expect(files.has(file)).toBe(true);
      }
    }
    const layout = study.pairs.find((pair) => pair.layout)!.layout!;
    const svg = new TextDecoder().decode(files.get(layout));
    expect(svg).toContain('&lt;b&gt;fox');
    expect(svg).toContain('<path d="M');
  });
  test('no common scene is refused', async () => {
    const other = samples('red', 1).map((sample) => ({ ...sample, name: 'elsewhere' }));
    await expect(
      makeStudy({
        methods: ['a', 'b'],
        first: other,
        second: samples('blue', 1),
        seed: 1,
        write: async () => undefined,
      }),
    ).rejects.toThrow('no pictures of the same name');
  });
});
