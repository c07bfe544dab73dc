import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Blobs, exported, richScene, testResult } from '#project/formats/formats.testkit.ts';
import { segmentLayers } from '#project/formats/layers.ts';
import { makeNpy } from '#project/formats/npy.ts';
import { parametersText } from '#project/formats/parameters.ts';
import { bitmapsOf } from '#project/formats/pixels.ts';

/**
 * Has exported files read by programs that are not ours: `PYTHON=... node scripts/check-formats.ts`, where PYTHON
 * has psd-tools, Pillow and NumPy. What it found is recorded in docs/format.md.
 */
const python = process.env['PYTHON'] ?? 'python3';
const folder = await mkdtemp(path.join(tmpdir(), 'spatext-formats-'));
const write = (name: string, bytes: Uint8Array | string): Promise<void> => writeFile(path.join(folder, name), bytes);
try {
  const blobs = new Blobs();
  const document = await richScene(blobs);
  const result = await testResult(document, blobs);
  const size = { width: result.width, height: result.height };
  for (const format of ['psd', 'ora', 'png'] as const)
    await write(`scene.${format}`, (await exported(document, format, blobs, { result })).bytes);
  const array = await exported(document, 'npy', blobs);
  await write('scene.npy', array.bytes);
  for (const { bytes } of array.beside ?? []) await write('scene.npy.json', bytes);
  await write('picture.png', await blobs.read(result.picture));
  const { bitmaps } = await bitmapsOf(document, blobs.read);
  const layers = segmentLayers(document, size, bitmaps);
  const masks: string[] = [];
  for (const [index, { area }] of layers.entries()) {
    const values = new Uint8Array(size.width * size.height);
    for (let y = 0; area && y < area.mask.height; y += 1)
      values.set(
        area.mask.data.subarray(y * area.mask.width, (y + 1) * area.mask.width),
        (area.top + y) * size.width + area.left,
      );
    masks.push(`mask${index}.npy`);
    await write(`mask${index}.npy`, makeNpy({ shape: [size.height, size.width], values }));
  }
  const expected = {
    ...size,
    names: layers.map(({ name }) => name),
    visible: layers.map(({ segment }) => segment.visible),
    masks,
    parameters: parametersText(document, result),
  };
  await write('expected.json', JSON.stringify(expected));
  const { status, error } = spawnSync(python, [path.join(import.meta.dirname, 'check-formats.py'), folder], {
    stdio: 'inherit',
  });
  if (error) throw error;
  process.exitCode = status ?? 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
