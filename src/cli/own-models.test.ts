// An artist's own model on the command line, as a user types it.
import { spawn } from 'node:child_process';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

function spatext(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['src/cli/run.ts', ...args], {
    env: { ...process.env, SPATEXT_DATA: path.join(folder, 'data') },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

test('check, add, generate, remove: the file stays where it is', { timeout: 300_000 }, async () => {
  const model = path.join(folder, 'My Model.safetensors');
  const checked = await spatext('packs', 'check', model);
  expect(checked).toMatchObject({ code: 0, err: '' });
  expect(checked.out).toMatch(/^good: my-model {2}My Model \(Stable Diffusion 1\.x, epsilon, fp16.*stable-diffusion/);
  expect((await spatext('packs', 'add', model)).out).toMatch(/^added: my-model/);
  expect((await spatext('packs', 'list')).out).toMatch(/^ {2}my-model {2}My Model/m);

  const scene = path.join(folder, 'scene.json');
  const records = [
    createScene({ width: 64, height: 64, text: 'a beach', sampler: { name: 'euler', steps: 2 } }),
    ...createSegment('dog', 'a dog', [{ kind: 'ellipse', cx: 32, cy: 32, rx: 20, ry: 20 }]),
  ];
  await writeFile(scene, writeScene(toDocument(records)));
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
  const pictures = [await readFile(path.join(out, 'scene-seed7.png'))];
  for (const more of [
    belongs('lora-tiny-kohya.safetensors:0.8'),
    belongs('vae-tiny.safetensors'),
    // The encoder before its adapter: the order does not matter.
    [...belongs('ip-adapter-tiny.image_encoder/model.safetensors'), ...belongs('ip-adapter-tiny.safetensors')],
  ]) {
    const used = await spatext(...how, ...more);
    expect(used).toMatchObject({ code: 0, err: '' });
    pictures.push(await readFile(used.out.trim()));
  }
  // The LoRA and the VAE change the picture; an IP-Adapter without a picture in a segment is only there.
  expect(pictures[1]).not.toEqual(pictures[0]);
  expect(pictures[2]).not.toEqual(pictures[0]);
  const whole = await spatext(...how, '--with', model);
  expect(whole.err).toMatch(/My Model\.safetensors is a whole model.*/);
  const wrong = await spatext(...how, ...belongs('lora-sdxl-tiny-kohya.safetensors'));
  expect(wrong.err).toMatch(/lora-sdxl-tiny-kohya\.safetensors.*(fit|another family)/);
  const single = await spatext(...how, ...belongs('ip-adapter-tiny.image_encoder/model.safetensors'));
  expect(single.err).toMatch(/there is no IP-Adapter to go with/);
  expect([whole.code, wrong.code, single.code]).not.toContain(0);

  expect((await spatext('packs', 'remove', 'my-model')).code).toBe(0);
  const gone = await spatext('generate', scene, '--pack', 'my-model', '--out', out, '--device', 'cpu');
  expect(gone.code).not.toBe(0);
  expect(gone.err).toMatch(/no pack named my-model/);
  expect(await readFile(model)).toEqual(await readFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors')));
});

test('a LoRA is no pack: one sentence, what to do, nothing added', { timeout: 120_000 }, async () => {
  const { code, err, out } = await spatext('packs', 'add', path.join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'));
  expect([code === 0, out]).toEqual([false, '']);
  expect(err).toMatch(/is a LoRA, not a whole model/);
  expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
});
