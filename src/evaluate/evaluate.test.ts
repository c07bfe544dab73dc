import { describe, expect, test } from 'vitest';
import type { ShapeInput } from '#shared/document/geometry.ts';
import { createSegment, createScene } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { evaluate } from './evaluate.ts';
import { COLOURS, colourEncoder, paint, sampleOf, sceneOfThings } from './evaluate.testkit.ts';
import type { Rgb } from './evaluate.testkit.ts';
import { viewSample } from './sample.ts';
import type { Sample } from './sample.ts';
import { buildTextBank, saysTheSame, scoreSamples } from './score.ts';
import { assignAsked, edgeSegmenter } from './segmenter.ts';
import { evaluationTable } from './table.ts';

const names = Object.keys(COLOURS);
const colour = (name: string): Rgb => COLOURS[name] ?? [0, 0, 0];
const at = (i: number): string => names[i % names.length] ?? '';
const square = (x: number, y: number, side: number): ShapeInput => ({ kind: 'rect', x, y, width: side, height: side });

/** Scene i: a ground of one colour with two squares of two others, as the texts say. */
function scene(i: number) {
  const things = [
    { text: `a ${at(i + 1)} square`, shapes: [square(10, 10, 40)] },
    { text: `a ${at(i + 2)} square`, shapes: [square(70, 60, 30)] },
  ];
  return sceneOfThings(`${at(i)} ground`, things);
}
const good = (i: number): Sample =>
  sampleOf(`s${i}`, scene(i), paint(scene(i), colour(at(i)), [colour(at(i + 1)), colour(at(i + 2))]));
/** Every text ignored: each thing has the colour of the next but one. */
const wrong = (i: number): Sample =>
  sampleOf(`s${i}`, scene(i), paint(scene(i), colour(at(i + 3)), [colour(at(i + 4)), colour(at(i + 5))]));
const six = [0, 1, 2, 3, 4, 5];

describe('viewSample', () => {
  test('the crop: a square of 1.08 times the longer side, centred, black outside mask and picture', async () => {
    // A white picture; an upright bar of 20 x 50 whose box starts at the left border.
    const document = sceneOfThings('', [
      { text: 'bar', shapes: [{ kind: 'rect', x: 0, y: 40, width: 20, height: 50 }] },
    ]);
    const white = { width: 128, height: 128, channels: 3 as const, data: new Uint8Array(128 * 128 * 3).fill(255) };
    // 54 = round(50 * 1.08): an encoder of that side takes the crop without scaling.
    const view = await viewSample(sampleOf('x', document, white), 54);
    const { crop, area, mask } = view.segments[0]!;
    expect(area).toBeCloseTo(1000 / 128 ** 2, 6);
    expect(mask.width).toBe(128);
    // Centre of the box is (10, 65): the square spans x -17..37, y 38..92, so the bar lies at 17..37, 2..52.
    for (let y = 0; y < 54; y += 1)
      for (let x = 0; x < 54; x += 1)
        expect(crop[y * 54 + x], `${x}, ${y}`).toBe(x >= 17 && x < 37 && y >= 2 && y < 52 ? 1 : -1);
  });
  test('what lies on top is cut out of what lies below; hidden segments are left out', async () => {
    const document = toDocument([
      createScene({ width: 128, height: 128 }),
      ...createSegment('low', 'a', [square(0, 0, 64)], { order: 0 }),
      ...createSegment('mid', 'b', [square(0, 0, 20)], { order: 1 }),
      ...createSegment('top', 'c', [square(0, 0, 32)], { order: 2 }),
      ...createSegment('off', 'd', [square(64, 64, 64)], { order: 3, visible: false }),
    ]);
    const view = await viewSample(sampleOf('x', document, paint(document, [9, 9, 9], [])), 32);
    expect(view.segments.map(({ id, label, area }) => [id, label, area * 128 ** 2])).toEqual([
      ['segment:low', 1, 64 ** 2 - 32 ** 2],
      ['segment:top', 3, 32 ** 2],
    ]);
  });
});

describe('scoreSamples', () => {
  test('right colours are near, first, and beyond shuffling; wrong ones are not', async () => {
    const samples = six.map(good);
    const bank = await buildTextBank(samples, ['a red circle', 'something grey'], colourEncoder);
    expect(bank.candidates).toHaveLength(8);
    const scores = await scoreSamples(samples, colourEncoder, bank, null);
    expect(scores.samples).toHaveLength(6);
    for (const row of scores.segments) {
      expect(row.cosine).toBeGreaterThan(0.99);
      expect(row.shuffledCosine).toBeLessThan(0.4);
      expect(row.segments).toBe(2);
      expect(row.iou).toBeNull();
    }
    // "a red circle" is as near to a red square as its own text: counted against it.
    for (const row of scores.segments) expect(row.rank).toBe(row.text.includes('red') ? 2 : 1);
    const bad = await scoreSamples(six.map(wrong), colourEncoder, bank, null);
    for (const row of bad.segments) {
      expect(row.cosine).toBeLessThan(0.9);
      expect(row.rank).toBeGreaterThan(1);
    }
  });
  test('a whole picture is mostly ground', async () => {
    const bank = await buildTextBank(six.map(good), [], colourEncoder);
    const { samples } = await scoreSamples(six.map(good), colourEncoder, bank, null);
    for (const row of samples) expect(row.cosine! - row.shuffledCosine!).toBeGreaterThan(0.3);
  });
  test('texts that say the same are no rivals', () => {
    expect(saysTheSame('dog', 'a brown Dog')).toBe(true);
    expect(saysTheSame('a brown dog', 'dog')).toBe(true);
    expect(saysTheSame('dog', 'dogma')).toBe(false);
    expect(saysTheSame('cat', 'dog')).toBe(false);
    expect(saysTheSame('großer Hund', 'ein großer Hund!')).toBe(true);
  });
  test('segments and scenes without words are not measured, not counted as zero', async () => {
    const document = sceneOfThings('', [{ text: '', shapes: [square(10, 10, 40)] }]);
    const samples = [sampleOf('x', document, paint(document, [1, 1, 1], [colour('red')]))];
    const bank = await buildTextBank(samples, [], colourEncoder);
    const { segments, samples: rows } = await scoreSamples(samples, colourEncoder, bank, null);
    expect(segments[0]).toMatchObject({ cosine: null, rank: null, shuffledCosine: null });
    expect(rows[0]).toMatchObject({ cosine: null });
  });
});

describe('segmenters', () => {
  test('edges: high where the thing fills its shape, low where it stands elsewhere', async () => {
    const document = sceneOfThings('blue ground', [
      { text: 'a red disc', shapes: [{ kind: 'ellipse', cx: 64, cy: 64, rx: 32, ry: 32 }] },
    ]);
    const moved = sceneOfThings('', [
      { text: 'a red disc', shapes: [{ kind: 'ellipse', cx: 78, cy: 70, rx: 30, ry: 22 }] },
    ]);
    const iou = async (drawn: typeof document) => {
      const samples = [sampleOf('x', document, paint(drawn, colour('blue'), [colour('red')]))];
      const bank = await buildTextBank(samples, [], colourEncoder);
      return (await scoreSamples(samples, colourEncoder, bank, edgeSegmenter)).segments[0]!.iou!;
    };
    expect(await iou(document)).toBeGreaterThan(0.95);
    expect(await iou(moved)).toBeLessThan(0.85);
  });
  test('classes: only those asked for and the background compete', () => {
    // 2 x 1 pixels, classes 0 (background), 1, 2, 3; class 3 is strongest everywhere but was not asked for.
    const logits = Float32Array.from([0, 5, 2, 1, 1, 2, 9, 9]);
    const [one, none, two] = assignAsked(logits, 1, 2, [1, null, 2], 4, 2);
    expect([...one!.data]).toEqual([255, 255, 0, 0, 255, 255, 0, 0]);
    expect(none).toBeNull();
    expect(two!.data.every((v) => v === 0)).toBe(true);
  });
});

describe('evaluate', () => {
  const input = {
    sets: [
      { name: 'good', samples: six.map(good) },
      { name: 'wrong', samples: six.map(wrong) },
    ],
    truth: six.map(good),
    reference: six.map((i) => good(i).readPicture),
    encoder: colourEncoder,
    segmenter: null,
    vocabulary: [],
  };
  test('bounds, sets, differences and distributions stand in the right order', async () => {
    const seen: number[] = [];
    const evaluation = await evaluate({ ...input, progress: (done, total) => seen.push(done / total) });
    const [first, second] = evaluation.sets;
    const truth = evaluation.truth!.figures;
    expect(truth.localDistance!.value).toBeCloseTo(first!.figures.localDistance!.value, 9);
    expect(first!.figures.localDistance!.value).toBeLessThan(0.01);
    expect(first!.figures.top1!.value).toBe(1);
    expect(first!.shuffled.localDistance!.value).toBeGreaterThan(0.5);
    expect(second!.figures.localDistance!.value).toBeGreaterThan(0.3);
    expect(second!.figures.top1!.value).toBe(0);
    expect(first!.difference).toBeNull();
    const difference = second!.difference!;
    expect(difference.samples).toBe(6);
    expect(difference.localDistance!.low).toBeGreaterThan(0);
    expect(first!.distribution!.frechet).toBeCloseTo(0, 6);
    expect(second!.distribution!.pictures).toBe(6);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toHaveLength(24);
  });
  test('splits by number and size add up', async () => {
    const evaluation = await evaluate(input);
    const { byCount, byArea } = evaluation.sets[0]!;
    expect(byCount.map(({ label, figures }) => [label, figures.samples, figures.segments])).toEqual([
      ['2 segments', 6, 12],
    ]);
    // 40 px of 128: 9.8 %; 30 px: 5.5 %.
    expect(byArea.map(({ label, figures }) => [label, figures.segments])).toEqual([['area 5 to 20 %', 12]]);
  });
  test('the table names what was measured and leaves out what was not', async () => {
    const table = evaluationTable(await evaluate(input));
    expect(table).toContain('| true pictures (upper bound) | 6 | 12 |');
    expect(table).toContain('| good, texts shuffled (lower bound) | 6 | 12 |');
    expect(table).not.toContain('local IoU');
    expect(table).toMatch(/wrong less good, paired on 6 common scenes: .*local distance \+1\.\d+ \[/);
    const bare = evaluationTable(await evaluate({ ...input, truth: [], reference: [], sets: input.sets.slice(0, 1) }));
    expect(bare).not.toContain('Fréchet');
    expect(bare).not.toContain('upper bound');
  });
});
