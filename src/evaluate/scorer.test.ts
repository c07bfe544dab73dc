import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_PACK } from '#engine/packs/embedded.ts';
import { openHashLedger } from '#engine/packs/hash-ledger.ts';
import { openPack } from '#engine/packs/open-pack.ts';
import type { OpenPack } from '#engine/packs/open-pack.ts';
import { modelsFolder } from '#engine/packs/models-folder.ts';
import { packEncoder } from './encoder.ts';
import { openScorer } from './scorer.ts';

const settings = { providers: ['cpu'], threads: 1 };
let folder: string;
let pack: OpenPack;
/** The embedded pack's own encoders, described as a judge: whatever reads them must see what the pack sees. */
let description: Record<string, unknown>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scorer-'));
  pack = await openPack(join(modelsFolder(), DEFAULT_PACK), openHashLedger());
  const part = async (file: string) => {
    await copyFile(join(pack.folder, file), join(folder, file));
    return {
      file,
      sha256: createHash('sha256')
        .update(await readFile(join(folder, file)))
        .digest('hex'),
    };
  };
  description = {
    formatVersion: 1,
    kind: 'spatext-scorer',
    name: 'a second pair of eyes',
    licence: 'MIT',
    side: 64,
    tokenizer: { ...(await part('tokenizer.json')), type: 'wordpiece', maxLength: 48 },
    textEncoder: await part('text_encoder.onnx'),
    imageEncoder: await part('image_encoder.onnx'),
  };
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));
const describeAs = (change: Record<string, unknown>) =>
  writeFile(join(folder, 'scorer.json'), JSON.stringify({ ...description, ...change }));

describe('openScorer', () => {
  test('sees and reads what the pack’s own encoders do', async () => {
    await describeAs({});
    const { encoder, segmenter, classes } = await openScorer(folder, settings);
    const own = packEncoder(pack, settings);
    try {
      const texts = ['a red fox', 'the sea at night'];
      expect(await encoder.encodeTexts(texts)).toEqual(await own.encodeTexts(texts));
      const pictures = Array.from({ length: 35 }, (_, k) =>
        Float32Array.from({ length: 3 * 64 * 64 }, (__, i) => Math.sin(i * (k + 1) * 0.01)),
      );
      const [a, b] = [await encoder.encodePictures(pictures), await own.encodePictures(pictures)];
      expect(a).toHaveLength(35);
      for (const [i, { embedding }] of a.entries()) {
        const cosine = embedding.reduce((sum, v, k) => sum + v * (b[i]!.embedding[k] ?? 0), 0);
        expect(cosine).toBeCloseTo(1, 5);
      }
      expect(segmenter).toBeNull();
      expect(classes).toEqual([]);
    } finally {
      await encoder.release();
      await own.release();
    }
  });
  test('a folder without scorer.json, a bad one, a climbing path, a wrong hash: one sentence each', async () => {
    await expect(openScorer(tmpdir(), settings)).rejects.toThrow('has no scorer.json');
    await writeFile(join(folder, 'scorer.json'), '{');
    await expect(openScorer(folder, settings)).rejects.toThrow('is not JSON');
    await describeAs({ side: 'large' });
    await expect(openScorer(folder, settings)).rejects.toThrow(/side: .*expected number/);
    await describeAs({ imageEncoder: { file: '../image_encoder.onnx', sha256: '0'.repeat(64) } });
    await expect(openScorer(folder, settings)).rejects.toThrow('plain file name inside the folder');
    await describeAs({ imageEncoder: { file: 'image_encoder.onnx', sha256: '0'.repeat(64) } });
    await expect(openScorer(folder, settings)).rejects.toThrow('its SHA-256 differs');
    await describeAs({ imageEncoder: { file: 'missing.onnx', sha256: '0'.repeat(64) } });
    await expect(openScorer(folder, settings)).rejects.toThrow('missing.onnx');
  });
});
