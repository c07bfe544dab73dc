import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StudioError, describeZodError } from '#shared/errors.ts';
import type { HashLedger } from './hash-ledger.ts';
import { ANCHOR_CHANNELS, PixelPack, SKETCH_SIDE, sketchChannelsOf } from './schema.ts';
import type { ComponentName, PackComponent } from './schema.ts';

/** A pack that was checked: every file is there, of its size and hash, inside its own folder. */
export interface OpenPack {
  readonly folder: string;
  readonly pack: PixelPack;
  /** Names the weights: changes whenever a file does. Keys caches and results. */
  readonly fingerprint: string;
  readonly bytes: number;
  pathOf(component: ComponentName): string;
}

const LARGEST_PACK_JSON = 1_000_000;

/**
 * Opens and checks a pack folder. Nothing is loaded; a bad pack is refused with the file and the reason.
 * Hashes are computed once per change of a file (ledger), not once per start.
 * @throws StudioError model, newer-version, not-found
 */
export async function openPack(folder: string, ledger: HashLedger): Promise<OpenPack> {
  const name = path.basename(folder);
  const bad = (what: string, remedy = 'get the pack again from where it came'): never => {
    throw new StudioError('model', `the pack ${name}: ${what}`, {
      kept: 'the studio goes on with the packs it had',
      remedy,
    });
  };
  const json = await readPackJson(folder, name);
  const parsed = PixelPack.safeParse(json);
  if (!parsed.success) return bad(`pack.json is not good: ${describeZodError(parsed.error)}`);
  const pack = parsed.data;
  checkShapes(pack, bad);

  const root = await realpath(folder);
  const fingerprint = createHash('sha256');
  let bytes = 0;
  const files = [
    ...Object.values(pack.components).filter((part): part is NonNullable<typeof part> => part !== undefined),
    { ...pack.tokenizer, bytes: undefined },
  ];
  for (const part of files) {
    const file = path.join(folder, part.file);
    const info = await lstat(file).catch(() => undefined);
    if (!info) return bad(`the file ${part.file} is missing`);
    // A link could lead anywhere on the disk; a pack is plain files.
    if (!info.isFile()) return bad(`${part.file} is not a plain file`);
    if ((await realpath(file)) !== path.join(root, part.file))
      return bad(`${part.file} leads out of the pack's folder`);
    if (part.bytes !== undefined && info.size !== part.bytes)
      return bad(`${part.file} has ${info.size} bytes, pack.json says ${part.bytes}: a download that broke off?`);
    const hash = await ledger.hashOf(file, info, () => sha256OfFile(file));
    if (hash !== part.sha256) return bad(`${part.file} is not the file that pack.json describes (its SHA-256 differs)`);
    fingerprint.update(hash);
    bytes += info.size;
  }
  return {
    folder,
    pack,
    fingerprint: fingerprint.digest('hex').slice(0, 16),
    bytes,
    pathOf(component) {
      const part = pack.components[component];
      if (!part) throw new StudioError('unsupported', `the pack ${pack.name} has no ${component}`);
      return path.join(folder, part.file);
    },
  };
}

async function readPackJson(folder: string, name: string): Promise<unknown> {
  const file = path.join(folder, 'pack.json');
  let text: string;
  try {
    const info = await lstat(file);
    if (!info.isFile() || info.size > LARGEST_PACK_JSON)
      throw new StudioError('model', `the pack ${name}: pack.json is no plain file of a reasonable size`);
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof StudioError) throw error;
    throw new StudioError('not-found', `${folder} is no model pack: it has no pack.json`, {
      remedy: 'choose the folder that holds pack.json',
      cause: error,
    });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StudioError('model', `the pack ${name}: pack.json is not JSON`, { cause: error });
  }
  const version = typeof json === 'object' && json !== null && 'formatVersion' in json ? json.formatVersion : undefined;
  if (typeof version === 'number' && version > 1)
    throw new StudioError(
      'newer-version',
      `the pack ${name} has format version ${version}; this release reads version 1`,
      {
        remedy: 'update the studio, or get an older version of the pack',
      },
    );
  return json;
}

/** What pack.json promises must fit together, or the first run would fail in the middle of a job. */
function checkShapes(pack: PixelPack, bad: (what: string) => never): void {
  const expect = (part: ComponentName, side: 'inputs' | 'outputs', tensor: string, shape: readonly number[]): void => {
    const component: PackComponent | undefined = pack.components[part];
    const spec = component?.[side][tensor];
    if (!spec) return bad(`${part} has no ${side.slice(0, -1)} named ${tensor}`);
    const tail = spec.shape.slice(spec.shape.length - shape.length);
    if (spec.shape.length < shape.length || tail.some((d, i) => typeof d === 'number' && d !== shape[i]))
      bad(`${part}'s ${tensor} has the shape ${spec.shape.join(' x ')}, expected it to end in ${shape.join(' x ')}`);
  };
  const { embeddingWidth: d, sampleSize: n } = pack;
  expect('textEncoder', 'outputs', 'text_embeds', [d]);
  expect('imageEncoder', 'outputs', 'image_embeds', [d]);
  expect('prior', 'inputs', 'hidden_states', [d]);
  expect('prior', 'outputs', 'predicted_image_embedding', [d]);
  expect('stProjector', 'inputs', 'spatio_textual_map', [d, n, n]);
  if (pack.components.sketch) {
    expect('sketch', 'inputs', 'image_embeds', [d]);
    expect('sketch', 'inputs', 'segment_masks', [1, SKETCH_SIDE, SKETCH_SIDE]);
    const channels = sketchChannelsOf(pack);
    if (channels === 0 && pack.components.sketch.outputs['sketch'])
      bad("sketch's output sketch does not tell its number of channels");
    expect('sketch', 'outputs', 'sketch', [channels, SKETCH_SIDE, SKETCH_SIDE]);
    expect('stProjector', 'inputs', 'sketch_map', [channels, n, n]);
  } else if (pack.components.stProjector.inputs['sketch_map'])
    bad('stProjector asks for a sketch_map, but the pack has no sketch that could draw it');
  if (pack.components.enlargement) {
    expect('enlargement', 'inputs', 'sample', []);
    expect('enlargement', 'outputs', 'upscaled', []);
  }
  const { superResolution } = pack.components;
  if ((superResolution.inputs['sketch_map'] !== undefined) !== (superResolution.sketchScale !== undefined))
    bad("superResolution's input sketch_map and its sketchScale go together, but only one of them is there");
  if (superResolution.sketchScale !== undefined) {
    if (!pack.components.sketch)
      bad('superResolution asks for a sketch_map, but the pack has no sketch that could draw it');
    const channels = superResolution.inputs['sketch_map']?.shape.at(-3);
    if (channels !== sketchChannelsOf(pack))
      bad(
        `superResolution asks for a sketch_map of ${channels} channels, but the pack's has ${sketchChannelsOf(pack)}`,
      );
  }
  const { scheduler, sketchAnchor } = pack.components.unet;
  if (sketchAnchor && sketchChannelsOf(pack) < ANCHOR_CHANNELS)
    bad(`unet is to be held to a sketch of ${ANCHOR_CHANNELS} channels, but the pack's has ${sketchChannelsOf(pack)}`);
  if (sketchAnchor && scheduler.predictionType !== 'v_prediction')
    bad(`only a denoiser that predicts v can be held to a sketch, not one of type ${scheduler.predictionType}`);
  expect('unet', 'inputs', 'sample', [3, n, n]);
  expect('unet', 'inputs', 'global_embeds', [d]);
  expect('unet', 'outputs', 'out_sample', [3, n, n]);
  for (const [name, spec] of Object.entries(pack.components.stProjector.outputs)) {
    const numbers = spec.shape.slice(1).filter((x) => typeof x === 'number');
    expect('unet', 'inputs', name, numbers);
  }
  if (pack.outputSize !== n * pack.components.superResolution.factor)
    bad(`outputSize is ${pack.outputSize}, but ${n} times ${pack.components.superResolution.factor} is not`);
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
