import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobProgress } from '#shared/api/generation.ts';
import { JobMeter, Pace } from './pace.ts';
import { openSpeedLedger } from './speed-ledger.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pace-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the time left', () => {
  const meterOf = (pace: Pace) => {
    const told: JobProgress[] = [];
    return { meter: new JobMeter(pace, (progress) => void told.push(progress)), told };
  };
  const left = (told: JobProgress[]) => told.at(-1)?.secondsLeft;

  test('is told before the first pass from what is expected, developing included', () => {
    const { meter, told } = meterOf(new Pace({ passMs: 2000, tailMs: 5000 }));
    meter.enter('loading');
    expect(left(told)).toBeNull();
    meter.images = 2;
    meter.passesTotal = 6;
    meter.workTotal = 3;
    meter.pictureSize = 0.5;
    meter.enter('denoise');
    // Three passes' worth of work, two pictures of half the size to develop.
    expect(left(told)).toBe(3 * 2 + 2 * 0.5 * 5);
    meter.passed(6, 6000, 0.5);
    expect(left(told)).toBe(5);
    meter.pictureFinished(5000);
    meter.enter('denoise');
    expect(left(told)).toBe(0.5 * 10);
  });

  test('a network that is nothing but calls says nothing about how slow a large one is', () => {
    const { meter, told } = meterOf(new Pace(undefined, { passMs: 0.02, tailMs: 0.5 }));
    meter.images = 1;
    meter.passesTotal = 6;
    meter.enter('denoise');
    meter.passed(6, 60);
    expect(left(told)).toBeLessThan(0.1);
  });

  test('a guess gives way to what is measured, and what follows the passes is as much slower as they are', () => {
    const pace = new Pace(undefined, { passMs: 5000, tailMs: 20_000 });
    expect(pace.secondsLeft(4, 1)).toBe(40);
    pace.measurePasses(2, 20_000);
    // 7.5 s a pass, half of the way from 5 to 10; the rest half as much again.
    expect(pace.secondsLeft(2, 1)).toBeCloseTo(2 * 7.5 + 30, 6);
    pace.measureTail(1, 26_000);
    expect(pace.secondsLeft(0, 1)).toBe(26);
    // An earlier time is more than a guess: one slow pass moves it little.
    const known = new Pace({ passMs: 5000, tailMs: 20_000 }, { passMs: 1, tailMs: 1 });
    known.measurePasses(1, 10_000);
    expect(known.secondsLeft(1, 1)).toBeCloseTo(6 + 20, 6);
  });

  test('follows what is measured, and is unknown where nothing is known', () => {
    const pace = new Pace();
    expect([pace.speed, pace.secondsLeft(3, 1)]).toEqual([null, null]);
    pace.measurePasses(2, 4000);
    pace.measureTail(2, 8000);
    expect([pace.speed, pace.secondsLeft(3, 1)]).toEqual([{ passMs: 2000, tailMs: 4000 }, 10]);
  });
});

describe('speeds', () => {
  test('are remembered from one start to the next, by model', async () => {
    const file = join(folder, 'speeds.json');
    await openSpeedLedger(file).put('model a', { passMs: 3, tailMs: 4 });
    await openSpeedLedger(file).put('model b', { passMs: 5, tailMs: 0 });
    const again = openSpeedLedger(file);
    expect([again.get('model a'), again.get('model b'), again.get('model c')]).toEqual([
      { passMs: 3, tailMs: 4 },
      { passMs: 5, tailMs: 0 },
      undefined,
    ]);
  });

  test.each(['', '{', '{"version":1,"speeds":{"a":{"passMs":-1,"tailMs":0}}}'])(
    'a damaged file is begun anew: %j',
    async (bytes) => {
      const file = join(folder, 'damaged.json');
      await writeFile(file, bytes);
      const ledger = openSpeedLedger(file);
      expect(ledger.get('a')).toBeUndefined();
      await ledger.put('a', { passMs: 1, tailMs: 1 });
      expect(openSpeedLedger(file).get('a')).toEqual({ passMs: 1, tailMs: 1 });
    },
  );

  test('a disk that takes nothing costs the memory of it, not the picture', async () => {
    await writeFile(join(folder, 'file'), '');
    const ledger = openSpeedLedger(join(folder, 'file', 'speeds.json'));
    await ledger.put('a', { passMs: 1, tailMs: 1 });
    expect(ledger.get('a')).toEqual({ passMs: 1, tailMs: 1 });
  });

  test('only the last hundred models are kept', async () => {
    const ledger = openSpeedLedger();
    for (let i = 0; i < 101; i++) await ledger.put(`m${i}`, { passMs: 1, tailMs: 1 });
    expect([ledger.get('m0'), ledger.get('m1')]).toEqual([undefined, { passMs: 1, tailMs: 1 }]);
  });
});
