// `spatext evaluate` and `spatext study` as typed, with the embedded pack as the judge.
import { spawn } from 'node:child_process';
import { CommanderError } from 'commander';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePng } from '#engine/image/picture.ts';
import type { Evaluation } from '#evaluate/evaluate.ts';
import type { StudyTally } from '#evaluate/study/tally.ts';
import { Study } from '#evaluate/study/study.ts';
import { SCENE_KEYWORD } from '#project/formats/picture-export.ts';
import { withTexts } from '#project/formats/png.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { writeScene } from '#shared/document/scene-file.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { StudioError } from '#shared/errors.ts';
import { EXIT } from '../cli-errors.ts';
import { createProgram } from '../program.ts';

const SIDE = 64;
const scene = (i: number) =>
  toDocument([
    createScene({ text: i % 2 ? 'beach' : 'night sky', width: SIDE, height: SIDE }),
    ...createSegment('a', 'a red apple', [{ kind: 'ellipse', cx: 20 + i, cy: 30, rx: 14, ry: 14 }]),
    ...createSegment('b', 'a blue car', [{ kind: 'rect', x: 40, y: 36, width: 20, height: 14 }]),
  ]);
/** Segments in their colours, or in grey. */
const picture = (i: number, colourful: boolean) => {
  const { labelMap } = disjointMasks(scene(i), { width: SIDE, height: SIDE }, NO_BITMAPS);
  const colours = colourful
    ? [
        [240, 220, 160],
        [200, 30, 30],
        [40, 70, 210],
      ]
    : [
        [240, 220, 160],
        [120, 120, 120],
        [130, 130, 130],
      ];
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let k = 0; k < labelMap.length; k += 1) data.set(colours[labelMap[k] ?? 0] ?? [], k * 3);
  return encodePng({ width: SIDE, height: SIDE, channels: 3, data });
};

let folder: string;
const at = (...parts: string[]) => path.join(folder, ...parts);
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-evaluate-'));
  process.env['SPATEXT_DATA'] = at('data');
  for (const name of ['scenes', 'good', 'grey', 'carried', 'empty']) await mkdir(at(name));
  for (let i = 0; i < 3; i += 1) {
    await writeFile(at('scenes', `s${i}.json`), writeScene(scene(i)));
    await writeFile(at('good', `s${i}-seed7.png`), await picture(i, true));
    await writeFile(at('grey', `s${i}-seed7.png`), await picture(i, false));
    // As the studio keeps it: the scene travels inside the picture.
    await writeFile(
      at('carried', `s${i}-seed7.png`),
      withTexts(await picture(i, true), { [SCENE_KEYWORD]: writeScene(scene(i)) }),
    );
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function spatext(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/cli/run.ts', ...args], {
    env: { ...process.env, SPATEXT_DATA: at('data') },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

describe('spatext evaluate', () => {
  test('colourful pictures come out nearer to their texts than grey ones; files and JSON agree', async () => {
    const { code, out, err } = await spatext(
      'evaluate',
      at('carried'),
      at('grey'),
      '--scenes',
      at('scenes'),
      '--truth',
      at('good'),
      '--reference',
      at('good'),
      '--segmenter',
      'edges',
      '--out',
      at('report'),
      '--json',
    );
    expect(err).toContain('looked at 12 pictures');
    expect(code).toBe(0);
    const printed = JSON.parse(out) as Evaluation;
    const written = JSON.parse(await readFile(at('report', 'evaluation.json'), 'utf8')) as Evaluation;
    expect(printed.sets.map(({ name }) => name)).toEqual(['carried', 'grey']);
    const [good, grey] = written.sets;
    expect(good!.rows.segments).toHaveLength(6);
    expect(good!.figures.localDistance!.value).toBeLessThan(grey!.figures.localDistance!.value);
    expect(grey!.difference!.localDistance!.low).toBeGreaterThan(0);
    expect(written.truth!.figures.localDistance).toEqual(good!.figures.localDistance);
    expect(good!.distribution!.frechet).toBeCloseTo(0, 4);
    expect(grey!.distribution!.frechet).toBeGreaterThan(0.001);
    expect(good!.figures.localIou!.value).toBeGreaterThan(0.9);
    expect(await readFile(at('report', 'table.md'), 'utf8')).toContain('| carried | 3 | 6 |');
    expect((await readdir(at('report'))).toSorted()).toEqual(['evaluation.json', 'table.md']);
  }, 180_000);

  test('a scene inside the picture is enough', async () => {
    const { code, out } = await spatext('evaluate', at('carried'), '--quiet');
    expect(code).toBe(0);
    expect(out).toContain('| carried | 3 | 6 |');
  }, 180_000);

  test.each<[string, () => string[], number, RegExp]>([
    ['no folder', () => ['evaluate'], 2, /missing required argument/],
    ['a folder that is not there', () => ['evaluate', at('none')], 3, /no such file/],
    ['a folder without pictures', () => ['evaluate', at('empty')], 3, /holds no picture with a scene/],
    ['pictures without scenes', () => ['evaluate', at('good')], 3, /no scene in it, beside it/],
    [
      'a judge that is none',
      () => ['evaluate', at('good'), '--scenes', at('scenes'), '--judge', at('empty')],
      3,
      /has no scorer\.json/,
    ],
    [
      'a segmenter that the judge lacks',
      () => ['evaluate', at('good'), '--scenes', at('scenes'), '--segmenter', 'judge'],
      2,
      /the judge has no segmenter/,
    ],
    [
      'one reference picture',
      () => ['evaluate', at('good'), '--scenes', at('scenes'), '--reference', at('empty')],
      3,
      /holds 0 pictures/,
    ],
    [
      'no such pack',
      () => ['evaluate', at('good'), '--scenes', at('scenes'), '--pack', 'nobody'],
      3,
      /no pack named nobody/,
    ],
  ])('%s: one sentence', async (_, args, code, words) => {
    // In this process: starting one for each refusal would cost seconds.
    const error = await createProgram()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(args(), { from: 'user' })
      .then(
        () => new Error('it was accepted'),
        (thrown: unknown) => thrown,
      );
    expect(String((error as Error).message)).toMatch(words);
    expect(error instanceof StudioError ? EXIT[error.code] : 2).toBe(code);
    expect(error instanceof StudioError || error instanceof CommanderError).toBe(true);
  });
});

describe('spatext study', () => {
  test('make, answer, tally', async () => {
    const made = await spatext('study', 'make', at('good'), at('grey'), '--scenes', at('scenes'), '--out', at('study'));
    expect(made).toMatchObject({ code: 0, err: '' });
    const study = Study.parse(JSON.parse(await readFile(at('study', 'study.json'), 'utf8')));
    expect(study.methods).toEqual(['good', 'grey']);
    expect((await readdir(at('study', 'page'))).toSorted()).toEqual(['index.html', 'pictures']);
    expect(await readdir(at('study', 'page', 'pictures'))).toHaveLength(9);
    const answers = study.pairs.map(({ id }) => ({
      pair: id,
      choice: study.firstIsLeft[id] ? 'left' : 'right',
      took: 900,
    }));
    await writeFile(
      at('answers.json'),
      JSON.stringify({ format: 'spatext-study-answers', version: 1, study: study.id, rater: 'A', answers }),
    );
    const tallied = await spatext('study', 'tally', at('study', 'study.json'), at('answers.json'), '--json');
    const tally = JSON.parse(tallied.out) as StudyTally;
    expect(tally.questions.map(({ first, second }) => [first, second])).toEqual([
      [3, 0],
      [3, 0],
      [3, 0],
    ]);
    const wrong = await spatext('study', 'tally', at('study', 'study.json'), at('scenes', 's0.json'));
    expect(wrong.code).toBe(3);
    expect(wrong.err).toContain('s0.json');
  }, 180_000);
  test('a refused study leaves nothing behind', async () => {
    const refused = await spatext(
      'study',
      'make',
      at('good'),
      at('empty'),
      '--scenes',
      at('scenes'),
      '--out',
      at('refused'),
    );
    expect(refused.code).toBe(3);
    await expect(readdir(at('refused'))).rejects.toThrow('ENOENT');
  }, 180_000);
});
