import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { DEFAULT_PACK } from './embedded.ts';
import { openHashLedger } from './hash-ledger.ts';
import { modelsFolder } from './models-folder.ts';
import { openPack } from './open-pack.ts';
import { writeTinyPack } from './tiny-pack.testkit.ts';
import { readFileSync } from 'node:fs';

type Json = Record<string, unknown>;
const original = JSON.parse(readFileSync(path.join(modelsFolder(), DEFAULT_PACK, 'pack.json'), 'utf8')) as {
  components: Record<
    string,
    { file: string; sha256: string; bytes: number; outputs: Record<string, { shape: unknown[] }> }
  >;
  tokenizer: { file: string; sha256: string };
} & Json;

let folder: string;
/** A pack with the real description and tiny files in place of the weights. */
async function writePack(change: (pack: typeof original) => void = () => undefined): Promise<void> {
  const pack = structuredClone(original);
  const content = (file: string) => `stands for ${file}`;
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  for (const part of [...Object.values(pack.components), pack.tokenizer]) {
    await writeFile(path.join(folder, part.file), content(part.file));
    part.sha256 = sha(content(part.file));
    if ('bytes' in part) part.bytes = content(part.file).length;
  }
  change(pack);
  await writeFile(path.join(folder, 'pack.json'), JSON.stringify(pack));
}
const refusal = async (): Promise<StudioError> => {
  const error: unknown = await openPack(folder, openHashLedger()).catch((thrown: unknown) => thrown);
  if (!(error instanceof StudioError)) throw new Error('the pack was taken');
  return error;
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'spatext-pack-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('opening a pack', () => {
  test('a good one opens, and its fingerprint follows its files', async () => {
    await writePack();
    const first = await openPack(folder, openHashLedger());
    expect(first.pack.id).toBe(DEFAULT_PACK);
    await writePack((pack) => {
      pack.components['unet']!.sha256 = createHash('sha256').update('other').digest('hex');
      pack.components['unet']!.bytes = 5;
    });
    await writeFile(path.join(folder, 'unet.onnx'), 'other');
    expect((await openPack(folder, openHashLedger())).fingerprint).not.toBe(first.fingerprint);
  });

  test('a missing file', async () => {
    await writePack();
    await rm(path.join(folder, 'prior.onnx'));
    expect((await refusal()).message).toMatch(/prior\.onnx is missing/);
  });

  test('a wrong hash and a wrong length', async () => {
    await writePack();
    await writeFile(path.join(folder, 'prior.onnx'), 'stands for prior.onnX');
    expect((await refusal()).message).toMatch(/prior\.onnx is not the file/);
    await writeFile(path.join(folder, 'prior.onnx'), 'stands');
    expect((await refusal()).message).toMatch(/has 6 bytes/);
  });

  test('a path that climbs out, and a link that leads out', async () => {
    await writePack((pack) => (pack.components['prior']!.file = '../prior.onnx'));
    expect((await refusal()).message).toMatch(/components\.prior\.file/);
    await writePack();
    const elsewhere = await mkdtemp(path.join(os.tmpdir(), 'spatext-elsewhere-'));
    await writeFile(path.join(elsewhere, 'secret'), 'stands for prior.onnx');
    await rm(path.join(folder, 'prior.onnx'));
    await symlink(path.join(elsewhere, 'secret'), path.join(folder, 'prior.onnx'));
    expect((await refusal()).message).toMatch(/not a plain file/);
    await rm(elsewhere, { recursive: true });
  });

  test('wrong shapes', async () => {
    await writePack((pack) => (pack.components['textEncoder']!.outputs['text_embeds']!.shape = ['batch', 255]));
    const error = await refusal();
    expect(error.code).toBe('model');
    expect(error.message).toMatch(/text_embeds has the shape batch x 255, expected it to end in 256/);
  });

  test('an enlargement whose tensors have other names', async () => {
    for (const [side, tensor] of [
      ['inputs', 'sample'],
      ['outputs', 'upscaled'],
    ] as const) {
      await writeTinyPack(folder, {
        enlargement: true,
        change: ({ components }) => delete components['enlargement']![side][tensor],
      });
      expect((await refusal()).message).toContain(`enlargement has no ${side.slice(0, -1)} named ${tensor}`);
    }
    await writeTinyPack(folder, { enlargement: true });
    expect((await openPack(folder, openHashLedger())).pack.components.enlargement?.factor).toBe(2);
  });

  test('a sketch that does not fit together with what is around it', async () => {
    const described = async (change: NonNullable<Parameters<typeof writeTinyPack>[1]>['change'], sketch = true) => {
      await writeTinyPack(folder, { sketch, change });
      return (await refusal()).message;
    };
    await writeTinyPack(folder);
    expect((await openPack(folder, openHashLedger())).pack.components.sketch?.file).toBe('sketch.onnx');
    expect(await described(({ components }) => delete components['stProjector']!.inputs['sketch_map'])).toMatch(
      /stProjector has no input named sketch_map/,
    );
    expect(
      await described(({ components }) => (components['stProjector']!.inputs['sketch_map']!.shape[1] = 5)),
    ).toMatch(/stProjector's sketch_map has the shape batch x 5 x 16 x 16, expected it to end in 2 x 16 x 16/);
    expect(
      await described(({ components }) => (components['sketch']!.outputs['sketch']!.shape[1] = 'colours')),
    ).toMatch(/sketch's output sketch does not tell its number of channels/);
    expect(await described(({ components }) => (components['sketch']!.outputs = {}))).toMatch(
      /sketch has no output named sketch/,
    );
    expect(await described(({ components }) => (components['sketch']!.outputs['sketch']!.shape[3] = 16))).toMatch(
      /sketch has the shape batch x 2 x 32 x 16, expected it to end in 2 x 32 x 32/,
    );
    expect(
      await described(({ components }) => (components['sketch']!.inputs['segment_masks']!.shape = ['n', 1, 64, 64])),
    ).toMatch(/segment_masks has the shape n x 1 x 64 x 64, expected it to end in 1 x 32 x 32/);
    expect(await described(({ components }) => (components['sketch']!.inputs['image_embeds']!.shape[1] = 9))).toMatch(
      /image_embeds has the shape batch x 9, expected it to end in 8/,
    );
    expect(await described(({ components }) => (components['unet']!.inputs['st_16']!.shape[1] = 3))).toMatch(
      /unet's st_16 has the shape batch x 3 x 16 x 16, expected it to end in 5 x 16 x 16/,
    );
    const anchor = { spread: 0.08, until: 0.15 };
    expect(await described(({ components }) => Object.assign(components['unet']!, { sketchAnchor: anchor }))).toMatch(
      /unet is to be held to a sketch of 5 channels, but the pack's has 2/,
    );
    expect(await described(({ components }) => delete components['sketch'])).toMatch(
      /stProjector asks for a sketch_map, but the pack has no sketch that could draw it/,
    );
    await writeTinyPack(folder);
    await writeTinyPack(folder, { fine: true });
    expect((await openPack(folder, openHashLedger())).pack.components.superResolution.sketchScale).toBe(2);
    const refused = async (change: Parameters<typeof described>[0]) => {
      await writeTinyPack(folder, { fine: true, change });
      return (await refusal()).message;
    };
    expect(await refused(({ components }) => delete components['superResolution']!.inputs['sketch_map'])).toMatch(
      /superResolution's input sketch_map and its sketchScale go together/,
    );
    expect(
      await refused(({ components }) => (components['superResolution']!.inputs['sketch_map']!.shape[1] = 7)),
    ).toMatch(/superResolution asks for a sketch_map of 7 channels, but the pack's has 2/);
    await writeTinyPack(folder, { sketch: false, fine: true });
    expect((await refusal()).message).toMatch(/superResolution asks for a sketch_map, but the pack has no sketch/);
    await writeTinyPack(folder);
    await writeFile(path.join(folder, 'sketch.onnx'), 'no network');
    expect((await refusal()).message).toMatch(/sketch\.onnx has 10 bytes/);
    await rm(path.join(folder, 'sketch.onnx'));
    expect((await refusal()).message).toMatch(/the file sketch\.onnx is missing/);
    await writeTinyPack(folder, { sketch: false });
    expect((await openPack(folder, openHashLedger())).pack.components.sketch).toBeUndefined();
  });

  test('no pack.json, broken JSON, a newer version, a folder in its place', async () => {
    expect((await refusal()).code).toBe('not-found');
    await writeFile(path.join(folder, 'pack.json'), '{"formatVersion": 1,');
    expect((await refusal()).message).toMatch(/not JSON/);
    await writePack((pack) => (pack['formatVersion'] = 7));
    expect((await refusal()).code).toBe('newer-version');
    await rm(path.join(folder, 'pack.json'));
    await mkdir(path.join(folder, 'pack.json'));
    expect((await refusal()).code).toBe('model');
  });

  test('hashes are computed once per change of a file, across restarts', async () => {
    await writePack();
    const ledgerFile = path.join(folder, 'ledger', 'hashes.json');
    let computed = 0;
    const counting = () => {
      const ledger = openHashLedger(ledgerFile);
      const hashOf: typeof ledger.hashOf = (file, info, compute) =>
        ledger.hashOf(file, info, () => {
          computed += 1;
          return compute();
        });
      return { hashOf };
    };
    await openPack(folder, counting());
    const first = computed;
    expect(first).toBeGreaterThan(5);
    await openPack(folder, counting());
    expect(computed).toBe(first);
    await writeFile(path.join(folder, 'prior.onnx'), 'stands for prior.onnX');
    await openPack(folder, counting()).catch(() => undefined);
    expect(computed).toBe(first + 1);
  });
});
