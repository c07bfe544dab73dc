// An artist's own model on the command line, as a user types it.
import { spawn } from 'node:child_process';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embeddingFile, reshaped } from '#engine/checkpoints/edited.testkit.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument } from '#shared/document/document.ts';
import { writeScene } from '#shared/document/scene-file.ts';

const CHECKPOINTS = path.join(import.meta.dirname, '../../test/fixtures/checkpoints');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-own-'));
  await copyFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'), path.join(folder, 'My Model.safetensors'));
  await cp(path.join(CHECKPOINTS, 'sd15-tiny.config'), path.join(folder, 'My Model.config'), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const spatext = (...args: string[]) => spatextIn({}, ...args);
function spatextIn(
  env: NodeJS.ProcessEnv,
  ...args: string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/cli/run.ts', ...args], {
    env: { ...process.env, SPATEXT_DATA: path.join(folder, 'data'), ...env },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

const sceneText = (): string =>
  writeScene(
    toDocument([
      createScene({ width: 64, height: 64, text: 'a beach', sampler: { name: 'euler', steps: 2 } }),
      ...createSegment('dog', 'a dog', [{ kind: 'ellipse', cx: 32, cy: 32, rx: 20, ry: 20 }]),
    ]),
  );

test('check, add, generate, remove: the file stays where it is', { timeout: 300_000 }, async () => {
  const model = path.join(folder, 'My Model.safetensors');
  const checked = await spatext('packs', 'check', model);
  expect(checked).toMatchObject({ code: 0, err: '' });
  expect(checked.out).toMatch(/^good: my-model {2}My Model \(Stable Diffusion 1\.x, epsilon, fp16.*stable-diffusion/);
  expect((await spatext('packs', 'add', model)).out).toMatch(/^added: my-model/);
  expect((await spatext('packs', 'list')).out).toMatch(/^ {2}my-model {2}My Model/m);

  const scene = path.join(folder, 'scene.json');
  await writeFile(scene, sceneText());
  const out = path.join(folder, 'out');
  const made = await spatext('generate', scene, '--pack', 'my-model', '--out', out, '--device', 'cpu', '--json');
  expect(made.code).toBe(0);
  expect(made.err).toMatch(/denoising/);
  const told = JSON.parse(made.out) as { passes: number; pictures: { pack: { id: string }; width: number }[] };
  expect(told.passes).toBe(6);
  expect(told.pictures).toMatchObject([{ pack: { id: 'my-model' }, width: 64 }]);
  expect(await readdir(out)).toEqual(['scene-seed7.png']);

  const how = ['generate', scene, '--pack', 'my-model', '--out', out, '--device', 'cpu', '--quiet'];
  const belongs = (name: string) => ['--with', path.join(CHECKPOINTS, name)];
  const word = path.join(folder, 'beach.safetensors');
  await writeFile(word, embeddingFile(8));
  const pictures = [await readFile(path.join(out, 'scene-seed7.png'))];
  for (const more of [
    belongs('lora-tiny-kohya.safetensors:0.8'),
    belongs('vae-tiny.safetensors'),
    ['--with', word],
    // The encoder before its adapter: the order does not matter.
    [...belongs('ip-adapter-tiny.image_encoder/model.safetensors'), ...belongs('ip-adapter-tiny.safetensors')],
  ]) {
    const used = await spatext(...how, ...more);
    expect(used).toMatchObject({ code: 0, err: '' });
    pictures.push(await readFile(used.out.trim()));
  }
  // The LoRA, the VAE and the embedding (its name is a word of the scene) change the picture; an IP-Adapter without a picture in a segment is only there.
  expect(pictures[1]).not.toEqual(pictures[0]);
  expect(pictures[2]).not.toEqual(pictures[0]);
  expect(pictures[3]).not.toEqual(pictures[0]);
  expect((await spatext('packs', 'remove', 'my-model')).code).toBe(0);
  const gone = await spatext('generate', scene, '--pack', 'my-model', '--out', out, '--device', 'cpu');
  expect(gone.code).not.toBe(0);
  expect(gone.err).toMatch(/no pack named my-model/);
  expect(await readFile(model)).toEqual(await readFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors')));
});

describe('--with FILE that cannot be used: one sentence, an exit code, nothing made', () => {
  const data = () => path.join(folder, 'with-data');
  const run = (...args: string[]) => spatextIn({ SPATEXT_DATA: data() }, ...args);
  const place = (name: string) => path.join(folder, name);
  const recorded = (name: string) => path.join(CHECKPOINTS, name);
  beforeAll(async () => {
    expect((await run('packs', 'add', place('My Model.safetensors'))).code).toBe(0);
    await writeFile(place('with.json'), sceneText());
    const lora = await readFile(recorded('lora-tiny-kohya.safetensors'));
    await writeFile(place('cut-lora.safetensors'), lora.subarray(0, lora.length - 100));
    await writeFile(place('wide-word.safetensors'), embeddingFile(1024));
    await writeFile(place('renamed.safetensors'), Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e]));
    await writeFile(
      place('sdxl-adapter.safetensors'),
      reshaped(await readFile(recorded('ip-adapter-tiny.safetensors')), /^ip_adapter\./),
    );
  }, 240_000);

  test.for<[string, () => string[], number, RegExp]>([
    [
      'a LoRA of another family',
      () => [recorded('lora-sdxl-tiny-kohya.safetensors')],
      3,
      /made for a model of another family/,
    ],
    [
      'an embedding of another family',
      () => [place('wide-word.safetensors')],
      3,
      /made for a text encoder of the width 1024/,
    ],
    [
      'an IP-Adapter of another family',
      () => [place('sdxl-adapter.safetensors')],
      3,
      /does not fit My Model: its layer \d+ has another size/,
    ],
    ['a whole model', () => [recorded('sd15-tiny.safetensors')], 2, /sd15-tiny\.safetensors is a whole model/],
    ['a folder', () => [CHECKPOINTS], 2, /is a folder, nothing that belongs to one/],
    ['a pickle under another name', () => [place('renamed.safetensors')], 3, /can run any code its author put inside/],
    ['no file', () => [place('nowhere.safetensors')], 3, /there is no file .*nowhere\.safetensors/],
    ['a cut LoRA', () => [place('cut-lora.safetensors')], 3, /ends at byte \d+, but the file has \d+ bytes/],
    [
      'an image encoder alone',
      () => [recorded('ip-adapter-tiny.image_encoder/model.safetensors')],
      2,
      /no IP-Adapter to go with/,
    ],
    ['a VAE with a strength', () => [`${recorded('vae-tiny.safetensors')}:0.5`], 2, /has no strength/],
  ])('%s', { timeout: 120_000 }, async ([, files, code, words]) => {
    const out = place('with-out');
    const given = files().flatMap((file) => ['--with', file]);
    const told = await run(
      'generate',
      place('with.json'),
      '--pack',
      'my-model',
      '--out',
      out,
      '--device',
      'cpu',
      ...given,
    );
    expect(told).toMatchObject({ code, out: '' });
    const lines = told.err
      .trim()
      .split('\n')
      .filter((line) => !/loading|texts/.test(line));
    expect(lines[0]).toMatch(words);
    expect(lines.length).toBeLessThanOrEqual(2);
    expect(await readdir(out).catch(() => [])).toEqual([]);
  });
});

test('a LoRA is no pack: one sentence, what to do, nothing added', { timeout: 120_000 }, async () => {
  const { code, err, out } = await spatext('packs', 'add', path.join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'));
  expect([code === 0, out]).toEqual([false, '']);
  expect(err).toMatch(/is a LoRA, not a whole model/);
  expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
});
