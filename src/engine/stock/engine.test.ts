// The artist's own models as the studio uses them: an engine process, packs added by path, whole jobs.
import { copyFile, cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { JobId, Result } from '#shared/api/generation.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { NO_BITMAPS } from '#shared/masks/rasterize.ts';
import { disjointMasks } from '#shared/masks/segment-mask.ts';
import { openBlobStore } from '../blobs/blob-store.ts';
import { withInputChannels } from '../checkpoints/edited.testkit.ts';
import { decodePicture, encodePng, resizePicture } from '../image/picture.ts';
import { openEngine } from '../jobs/engine.ts';
import type { EngineEvent, EngineHandle } from '../jobs/engine-api.ts';
import { forkNodeEngine } from '../jobs/node-port.ts';
import { modelsFolder } from '../packs/models-folder.ts';

const FIXTURES = path.join(import.meta.dirname, '../../../test/fixtures');
const CHECKPOINTS = path.join(FIXTURES, 'checkpoints');
let folder: string;
let mine: string;
let engine: EngineHandle;
const events: EngineEvent[] = [];
let jobs = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-own-models-'));
  // A copy that a test may take away, with the configuration that no narrow file tells.
  mine = path.join(folder, 'mine.safetensors');
  await copyFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'), mine);
  await cp(path.join(CHECKPOINTS, 'sd15-tiny.config'), path.join(folder, 'mine.config'), { recursive: true });
  engine = openEngine({
    modelsFolder: modelsFolder(),
    dataFolder: path.join(folder, 'data'),
    blobFolder: path.join(folder, 'blobs'),
    config: { device: 'cpu', threads: 1, restMinutes: 0 },
    start: () => forkNodeEngine(),
  });
  engine.on((event) => events.push(event));
  await engine.addPack(mine);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

const blobs = () => openBlobStore(path.join(folder, 'blobs'));
const pixels = async (hash: string) => decodePicture(await blobs().read(hash), 3);
const scene = (fields: Parameters<typeof createScene>[0] = {}) => [
  createScene({
    width: 72,
    height: 56,
    text: 'a beach',
    negativeText: 'dull',
    pack: 'mine',
    sampler: { name: 'dpmpp-2m-karras', steps: 2 },
    guidance: { globalScale: 5, localScale: 5 },
    ...fields,
  }),
  ...createSegment('dog', 'a (brown:1.3) dog', [{ kind: 'ellipse', cx: 20, cy: 36, rx: 15, ry: 14 }]),
  ...createSegment('sun', 'the sun', [{ kind: 'ellipse', cx: 56, cy: 14, rx: 12, ry: 10 }], { order: 1, weight: 0.5 }),
  ...createSegment('sea', 'the sea', [{ kind: 'rect', x: 30, y: 30, width: 40, height: 24 }], {
    order: 2,
    negativeText: 'boats',
    interval: [0, 0.6],
  }),
];
type Fields = Omit<z.input<typeof GenerateRequest>, 'records'>;
function start(records: ReturnType<typeof scene>, more: Fields = {}): JobId {
  jobs += 1;
  const job: JobId = `job-${jobs}`;
  engine.submit(job, GenerateRequest.parse({ records, ...more }));
  return job;
}
const stateOf = (job: JobId) => engine.list().jobs.find(({ id }) => id === job);
async function until<T>(look: () => T | undefined | false, ms = 60_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const ended = (job: JobId) =>
  until(() => {
    const summary = stateOf(job);
    return summary && ['done', 'failed', 'cancelled'].includes(summary.state) ? summary : undefined;
  });
const finishedBy = (job: JobId) =>
  events.flatMap((event) => (event.type === 'result' && event.finished.result.job === job ? [event.finished] : []));
async function one(records: ReturnType<typeof scene>, more: Fields = {}): Promise<Result> {
  const job = start(records, more);
  const { error } = await ended(job);
  if (error) throw new Error(error.message);
  const [finished] = finishedBy(job);
  if (!finished) throw new Error('no result');
  return finished.result;
}

describe('a checkpoint beside the embedded pack', { timeout: 240_000 }, () => {
  test('is added within two seconds, nothing copied; its first job makes three segments and scores them', async () => {
    await engine.packs();
    const begin = performance.now();
    const summary = await engine.addPack(mine);
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(summary).toMatchObject({
      id: 'mine',
      kind: 'stable-diffusion',
      source: 'checkpoint',
      mapSize: { width: 8, height: 8 },
      outputSize: { width: 64, height: 64 },
      anySize: true,
      problem: null,
    });
    expect(summary.abilities).toEqual(expect.arrayContaining(['segments', 'scores', 'lora', 'redo-segment']));
    const result = await one(scene());
    expect(result).toMatchObject({ width: 72, height: 56, pack: { id: 'mine' }, passes: 6 });
    // Judged by the embedded pack's CLIP, in its space.
    expect(result.scores.map(({ segment }) => segment).toSorted()).toEqual([
      'segment:dog',
      'segment:sea',
      'segment:sun',
    ]);
    for (const { clip } of result.scores) expect(Math.abs(clip ?? 2)).toBeLessThanOrEqual(1);
    const { embeddings, space } = finishedBy(result.job)[0]!;
    expect(embeddings).toHaveLength(3);
    expect(embeddings[0]!.text).toBe('a brown dog');
    const { values, space: searched } = await engine.embed('mine', { kind: 'text', text: 'a dog', reading: 0 });
    expect(searched).toBe(space);
    expect(Math.hypot(...values)).toBeCloseTo(1, 4);
    // What the record says makes the picture again.
    expect((await one(result.records as ReturnType<typeof scene>)).picture).toBe(result.picture);
  });

  test('one process goes from it to the embedded pack and back', async () => {
    const first = await one(scene());
    const embedded = await one(scene({ pack: null, sampler: { name: 'ddim', steps: 1 } }));
    expect(embedded.pack.id).not.toBe('mine');
    expect((await one(scene())).picture).toBe(first.picture);
  });

  test('not used for a while it is closed, which is told, and opens again by itself; the embedded pack stays', async () => {
    const first = await one(scene());
    const { open } = await engine.packs();
    expect(open).toMatchObject({ pack: 'mine', restsAt: null });
    expect(open?.bytes).toBeGreaterThan(50e6);
    events.length = 0;
    engine.configure({ device: 'cpu', threads: 1, restMinutes: 0.02 });
    try {
      expect((await engine.packs()).open?.restsAt).toBeGreaterThan(Date.now() - 60_000);
      // Told once that the time is set, and once that the model is closed.
      await until(() => events.filter(({ type }) => type === 'packs').length >= 2);
      expect((await engine.packs()).open).toBeNull();
      expect((await one(scene())).picture).toBe(first.picture);
      expect((await engine.packs()).open?.pack).toBe('mine');
      await engine.rest();
      expect((await engine.packs()).open).toBeNull();
      await one(scene({ pack: null, sampler: { name: 'ddim', steps: 1 } }));
      expect((await engine.packs()).open).toBeNull();
    } finally {
      engine.configure({ device: 'cpu', threads: 1, restMinutes: 0 });
    }
  });

  test('how long it takes is told before the first pass, also by an engine that was just started', async () => {
    await one(scene());
    const other = openEngine({
      modelsFolder: modelsFolder(),
      dataFolder: path.join(folder, 'data'),
      blobFolder: path.join(folder, 'blobs'),
      config: { device: 'cpu', threads: 1, restMinutes: 0 },
    });
    try {
      const told: { passesDone: number; secondsLeft: number | null }[] = [];
      const over = new Promise<string>((resolve) => {
        other.on((event) => {
          if (event.type !== 'job') return;
          const { progress, state } = event.job;
          if (progress?.phase === 'denoise') told.push(progress);
          if (state === 'done' || state === 'failed') resolve(state);
        });
      });
      other.submit('job-elsewhere', GenerateRequest.parse({ records: scene() }));
      expect(await over).toBe('done');
      expect(told[0]?.passesDone).toBe(0);
      expect(told[0]?.secondsLeft).toBeGreaterThan(0);
      const speeds = JSON.parse(await readFile(path.join(folder, 'data', 'speeds.json'), 'utf8')) as object;
      expect(JSON.stringify(speeds)).toMatch(/"[0-9a-f]{64} cpu 1":\{"passMs":[0-9.]+,"tailMs":[0-9.]+\}/);
    } finally {
      await other.close();
    }
  });

  test('a LoRA row changes the picture, and taking it out gives the old one back', async () => {
    const plain = await one(scene());
    const file = path.join(CHECKPOINTS, 'lora-tiny-kohya.safetensors');
    const changed = await one(scene({ loras: [{ file, strength: 1 }] }));
    expect(changed.picture).not.toBe(plain.picture);
    expect((await one(scene())).picture).toBe(plain.picture);
    const missing = await ended(start(scene({ loras: [{ file: path.join(folder, 'gone.safetensors') }] })));
    expect(missing.error?.message).toContain('gone.safetensors');
  });

  test('progress counts the passes of both stages, announced before the first one', async () => {
    const job = start(scene({ width: 128, height: 96, sampler: { name: 'ddim', steps: 5 }, upscale: 2 }));
    expect((await ended(job)).state).toBe('done');
    const told = events.flatMap((event) =>
      event.type === 'job' && event.job.id === job && event.job.progress ? [event.job.progress] : [],
    );
    // Five steps, then the last two of five at the canvas' size, each of three passes; then enlarged without any.
    const begun = told.filter(({ phase }) => phase === 'denoise');
    expect(new Set(begun.map(({ passesTotal }) => passesTotal))).toEqual(new Set([21]));
    expect(told.at(-1)?.passesDone).toBe(21);
    expect(begun.some(({ secondsLeft }) => (secondsLeft ?? 0) > 0)).toBe(true);
    expect(finishedBy(job)[0]!.result).toMatchObject({ width: 256, height: 192, passes: 21 });
  });

  test('variations, a grid and a live picture', async () => {
    const job = start(scene(), { purpose: { kind: 'variations', count: 2, strength: 0.4 } });
    expect((await ended(job)).state).toBe('done');
    expect(new Set(finishedBy(job).map(({ result }) => result.picture)).size).toBe(2);
    const grid = start(scene(), { purpose: { kind: 'grid', points: [[1, 1], [6, 2]], steps: 1 } }); // prettier-ignore
    expect((await ended(grid)).state).toBe('done');
    const live = start(scene(), { purpose: { kind: 'live', steps: 1 }, priority: 'background' });
    expect((await ended(live)).state).toBe('done');
    const shown = (of: JobId) => events.filter((event) => event.type === 'picture' && event.job === of).length;
    expect([shown(grid), shown(live)]).toEqual([2, 1]);
  });

  test('redo in a picture of twice the canvas: outside the segment every pixel stays', async () => {
    const made = await pixels((await one(scene())).picture);
    const base = await resizePicture(made, 144, 112);
    const picture = await blobs().write(await encodePng(base));
    const records = scene({ seed: 99 });
    for (const segment of ['segment:dog', 'segment:sun'] as const) {
      const redone = await one(records, { purpose: { kind: 'redo-segment', segment, picture } });
      const after = await pixels(redone.picture);
      const { segments } = disjointMasks(toDocument(records), { width: 144, height: 112 }, NO_BITMAPS);
      const soft = segments.find(({ segmentId }) => segmentId === segment)!.soft.data;
      let changed = 0;
      for (let i = 0; i < soft.length; i += 1) {
        const same = [0, 1, 2].every((c) => base.data[i * 3 + c] === after.data[i * 3 + c]);
        if (soft[i] === 0) expect(same, `pixel ${i}`).toBe(true);
        else if (!same) changed += 1;
      }
      expect(changed).toBeGreaterThan(50);
    }
  });

  test('cancelled between two passes; the next job runs', async () => {
    const job = start(scene({ sampler: { name: 'ddim', steps: 500 } }));
    await until(() => (stateOf(job)?.progress?.passesDone ?? 0) > 3);
    engine.cancel(job, false);
    expect((await ended(job)).state).toBe('cancelled');
    expect((await one(scene())).passes).toBe(6);
  });

  test('taken away while in use: said in words, the embedded pack goes on, and it comes back by itself', async () => {
    const before = await one(scene());
    const hidden = path.join(folder, 'hidden.safetensors');
    await rename(mine, hidden);
    const gone = await ended(start(scene()));
    expect(gone.error).toMatchObject({ code: 'model' });
    expect(gone.error?.message).toContain('mine.safetensors is no longer where it was');
    const listed = (await engine.packs()).packs.find(({ id }) => id === 'mine');
    expect(listed?.problem).toContain('no longer where it was');
    expect((await one(scene({ pack: null, sampler: { name: 'ddim', steps: 1 } }))).pack.id).not.toBe('mine');
    await rename(hidden, mine);
    expect((await one(scene())).picture).toBe(before.picture);
  });

  test('replaced by a file that is cut off: one sentence', async () => {
    const bytes = await readFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'));
    await writeFile(mine, bytes.subarray(0, bytes.length - 1000));
    const cut = await ended(start(scene()));
    expect(cut.error?.message).toMatch(/ends at byte \d+, but the file has/);
    await writeFile(mine, bytes);
    expect((await one(scene())).passes).toBe(6);
  });

  test('cut off under a running job, its weights mapped: that job ends in words, the studio goes on', async () => {
    const bytes = await readFile(mine);
    const job = start(scene({ sampler: { name: 'ddim', steps: 300 } }));
    await until(() => (stateOf(job)?.progress?.passesDone ?? 0) > 3);
    await truncate(mine, 5000);
    const { error } = await ended(job);
    // Reading past the end of a mapped file ends the process; what was read already lasts until the next part opens.
    expect(['crashed', 'model']).toContain(error?.code);
    expect(error?.message).toMatch(/^a model file was cut|changed while it was in use/);
    expect((await one(scene({ pack: null, sampler: { name: 'ddim', steps: 1 } }))).pack.id).not.toBe('mine');
    await writeFile(mine, bytes);
    expect((await one(scene())).passes).toBe(6);
  });
});

test(
  'an inpainting model (9 channels): one segment made anew, a start picture, variations, two stages',
  { timeout: 240_000 },
  async () => {
    const file = path.join(folder, 'painter.safetensors');
    // The five channels it reads besides have weights, so the mask and the masked picture matter.
    const bytes = await readFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'));
    await writeFile(
      file,
      withInputChannels(bytes, 9, (i) => (i % 2 === 0 ? 0x2c00 : 0xac00) + (i % 64)),
    );
    await cp(path.join(folder, 'mine.config'), path.join(folder, 'painter.config'), { recursive: true });
    expect((await engine.addPack(file)).name).toContain('inpainting');
    const at = (fields: Parameters<typeof scene>[0] = {}) => scene({ pack: 'painter', ...fields });
    const first = await one(at());
    expect(first.picture).not.toBe((await one(scene())).picture);

    const before = await pixels(first.picture);
    const redo = { purpose: { kind: 'redo-segment', segment: 'segment:dog', picture: first.picture } } as const;
    const redone = await one(at({ seed: 99 }), redo);
    const after = await pixels(redone.picture);
    const { segments } = disjointMasks(toDocument(at()), { width: 72, height: 56 }, NO_BITMAPS);
    const soft = segments.find(({ segmentId }) => segmentId === 'segment:dog')!.soft.data;
    let [changed, inside] = [0, 0];
    for (let i = 0; i < soft.length; i += 1) {
      const same = [0, 1, 2].every((c) => before.data[i * 3 + c] === after.data[i * 3 + c]);
      if (soft[i] === 0) expect(same, `pixel ${i}`).toBe(true);
      else {
        inside += 1;
        if (!same) changed += 1;
      }
    }
    expect(changed / inside).toBeGreaterThan(0.5);
    // What lies around the segment is read: another surrounding gives another segment from the same seed.
    const other = await one(at({ seed: 3 }));
    const elsewhere = await one(at({ seed: 99 }), { purpose: { ...redo.purpose, picture: other.picture } });
    const there = await pixels(elsewhere.picture);
    const core = [...soft.keys()].filter((i) => soft[i] === 255);
    const same = core.filter((i) => [0, 1, 2].every((c) => there.data[i * 3 + c] === after.data[i * 3 + c]));
    expect(core.length).toBeGreaterThan(100);
    expect(same.length).toBeLessThan(core.length);

    const started = await one(at({ start: { blob: first.picture, strength: 0.5 } }));
    expect(started.picture).not.toBe(first.picture);
    const varied = start(at(), { purpose: { kind: 'variations', count: 2, strength: 0.4 } });
    expect((await ended(varied)).state).toBe('done');
    expect(new Set(finishedBy(varied).map(({ result }) => result.picture)).size).toBe(2);
    const large = await one(at({ width: 128, height: 96, sampler: { name: 'ddim', steps: 5 } }));
    expect(large).toMatchObject({ width: 128, height: 96, passes: 21 });
  },
);

test('a folder exported by optimum: segments around its network', { timeout: 240_000 }, async () => {
  const summary = await engine.addPack(path.join(FIXTURES, 'pipelines/tiny-sd15'));
  expect(summary).toMatchObject({ id: 'tiny-sd15', source: 'folder', outputSize: { width: 32, height: 32 } });
  const result = await one(scene({ pack: 'tiny-sd15' }));
  expect(result).toMatchObject({ width: 72, height: 56 });
  expect(result.scores).toHaveLength(3);
});

describe('files that are no models are refused in words, and the list stays', () => {
  test.each([
    ['lora-tiny-kohya.safetensors', /is a LoRA/],
    ['vae-tiny.safetensors', /an autoencoder/],
    ['expected.json', /no model pack and no checkpoint/],
  ])('%s', async (name, words) => {
    const before = (await engine.packs()).packs.length;
    await expect(engine.addPack(path.join(CHECKPOINTS, name))).rejects.toThrow(words);
    expect((await engine.packs()).packs).toHaveLength(before);
  });

  test('a second file of the same name: both places named', async () => {
    const other = path.join(folder, 'other', 'Mine.safetensors');
    await cp(mine, other, { recursive: true });
    await cp(path.join(folder, 'mine.config'), path.join(folder, 'other', 'Mine.config'), { recursive: true });
    await expect(engine.addPack(other)).rejects.toMatchObject({
      code: 'bad-input',
      message: `a pack with the id mine is already there, at ${mine}`,
      remedy: expect.stringContaining('another name'),
    });
  });

  test('a pickle, a FLUX model, a text under the wrong name', async () => {
    const named = async (name: string, bytes: Uint8Array): Promise<string> => {
      const file = path.join(folder, name);
      await writeFile(file, bytes);
      return file;
    };
    const tensor = (at: number) => ({ dtype: 'F16', shape: [2, 2], data_offsets: [at, at + 8] });
    const header = JSON.stringify({
      'double_blocks.0.img_attn.qkv.weight': tensor(0),
      'single_blocks.0.linear1.weight': tensor(8),
    });
    const flux = Buffer.concat([Buffer.alloc(8), Buffer.from(header), Buffer.alloc(16)]);
    flux.writeBigUInt64LE(BigInt(header.length));
    await expect(engine.addPack(await named('old.ckpt', Buffer.from('PK\x03\x04 and more of it')))).rejects.toThrow(
      /can run any code/,
    );
    await expect(engine.addPack(await named('flux.safetensors', flux))).rejects.toThrow(/a FLUX model/);
    await expect(
      engine.addPack(await named('notes.safetensors', Buffer.from('shopping list: eggs, flour, milk\n'))),
    ).rejects.toThrow(/a text file/);
  });
});
