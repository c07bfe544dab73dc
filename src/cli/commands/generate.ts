import { Option } from 'commander';
import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { GenerateRequest } from '#shared/api/generation.ts';
import type { Result } from '#shared/api/generation.ts';
import { detailPass } from '#host/detail-pass.ts';
import type { EngineHandle, FinishedResult } from '#engine/jobs/engine-api.ts';
import { withBelonging } from '#shared/document/belongings.ts';
import type { Belonging } from '#shared/document/belongings.ts';
import { createScene } from '#shared/document/create.ts';
import { detailSegments, sceneOf, segmentName, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { SceneRecord } from '#shared/document/records.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { BatchSettings, SAMPLERS } from '#shared/document/settings.ts';
import { StudioError, describeZodError } from '#shared/errors.ts';
import { openEngineSession } from '../engine-session.ts';
import type { EngineSession } from '../engine-session.ts';
import { claimOutputFolder } from '../output-folder.ts';
import { decimal, wholeNumber } from '../parse-options.ts';
import { pictureWithScene } from '../picture-file.ts';
import { progressLine } from '../progress-line.ts';
import { readSceneFrom } from '../read-input.ts';

interface GenerateOptions {
  out: string;
  seed?: number;
  count?: number;
  bestOf?: number;
  globalScale?: number;
  localScale?: number;
  scale?: number;
  guidance?: 'multi' | 'single' | 'joint';
  sampler?: (typeof SAMPLERS)[number];
  steps?: number;
  pack?: string;
  with: string[];
  detail: boolean;
  device: string;
  threads: number;
  json?: boolean;
  quiet?: boolean;
}

export function registerGenerate(program: Command): void {
  program
    .command('generate')
    .description('Make pictures from a scene.')
    .argument('<scene>', 'a scene (.json), a project (.spatext) or a picture made by the studio')
    .option('--out <folder>', 'where the pictures go', 'out')
    .option('--seed <n>', 'first seed; picture k has seed n + k', wholeNumber(0, 0xffff_ffff))
    .option('--count <n>', 'pictures to make', wholeNumber(1, 64))
    .option('--best-of <n>', 'make n for each, keep the one whose segments came out best', wholeNumber(1, 16))
    .addOption(new Option('--guidance <mode>', 'two dials, one dial, or a chain').choices(['multi', 'single', 'joint']))
    .option('--global-scale <s>', 'how much the global text says', decimal(0, 30))
    .option('--local-scale <s>', 'how much the segments say', decimal(0, 30))
    .option('--scale <s>', 'the one dial of single-scale guidance', decimal(0, 30))
    .addOption(new Option('--sampler <name>', 'sampler').choices([...SAMPLERS]))
    .option('--steps <n>', 'steps', wholeNumber(1, 1000))
    .option('--pack <id>', 'model pack (spatext packs list)')
    .option(
      '--with <file>',
      'a file that belongs to the model: LoRA (FILE or FILE:STRENGTH), VAE, embedding, IP-Adapter, image encoder; repeatable',
      (file: string, before: string[]) => [...before, file],
      [],
    )
    .option('--no-detail', 'leave out the detail passes that the scene asks for')
    .addOption(
      new Option('--device <id>', 'where to compute')
        .choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'])
        .default('auto'),
    )
    .option('--threads <n>', 'processor threads; 0: all', wholeNumber(0, 256), 0)
    .option('--json', 'print one JSON document about what was made')
    .option('--quiet', 'no progress')
    .action(async (file: string, options: GenerateOptions) => {
      const summary = await generate(file, options);
      if (options.json) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
      else for (const picture of summary.pictures) process.stdout.write(`${picture.file}\n`);
    });
}

/** The options laid over the scene's own settings. @throws StudioError bad-use if together they cannot be */
export function withOptions(document: StudioDocument, options: GenerateOptions): StudioDocument {
  const scene = sceneOf(document);
  const batch = BatchSettings.safeParse({
    count: options.count ?? scene.batch.count,
    bestOf: options.bestOf ?? scene.batch.bestOf,
  });
  if (!batch.success) throw new StudioError('bad-use', `--count and --best-of: ${describeZodError(batch.error)}`);
  const { guidance, sampler } = scene;
  return {
    ...document,
    [scene.id]: createScene({
      ...scene,
      seed: options.seed ?? scene.seed,
      batch: batch.data,
      pack: options.pack ?? scene.pack,
      sampler: { ...sampler, name: options.sampler ?? sampler.name, steps: options.steps ?? sampler.steps },
      guidance: {
        ...guidance,
        mode: options.guidance ?? guidance.mode,
        globalScale: options.globalScale ?? guidance.globalScale,
        localScale: options.localScale ?? guidance.localScale,
        scale: options.scale ?? guidance.scale,
      },
    }),
  };
}

/** How strong a file may be made. @throws StudioError bad-use if it has no strength, or not such a one */
function requireStrength(name: string, kind: Belonging['kind'], strength: number): void {
  const range = { lora: [-4, 4], 'ip-adapter': [0, 2] } as const;
  const kept = 'nothing was started';
  if (kind !== 'lora' && kind !== 'ip-adapter')
    throw new StudioError('bad-use', `${name} has no strength: only a LoRA and an IP-Adapter have one`, { kept });
  const [least, most] = range[kind];
  if (strength < least || strength > most)
    throw new StudioError('bad-use', `${name}: its strength is a number from ${least} to ${most}`, { kept });
}

/** The scene with files that belong to its model. @throws StudioError bad-use for a whole model, else what the file is */
async function withFiles(
  document: StudioDocument,
  given: readonly string[],
  engine: Pick<EngineHandle, 'lookAt'>,
): Promise<StudioDocument> {
  const files: { belonging: Belonging; strength: number | undefined }[] = [];
  for (const one of given) {
    const [, name = one, strength] = /^(.+\.(?:safetensors|sft)):(-?\d+(?:\.\d+)?)$/i.exec(one) ?? [];
    const { kind, path: at } = await engine.lookAt(path.resolve(name));
    if (kind === 'model') {
      const folder = (await stat(at)).isDirectory();
      throw new StudioError(
        'bad-use',
        `${name} is a ${folder ? 'folder' : 'whole model'}, nothing that belongs to one`,
        {
          kept: 'nothing was started',
          remedy: folder
            ? 'name a file, and others by a --with of their own'
            : 'add it (spatext packs add PATH), then choose it by --pack',
        },
      );
    }
    if (strength !== undefined) requireStrength(name, kind, Number(strength));
    files.push({ belonging: { kind, path: at }, strength: strength === undefined ? undefined : Number(strength) });
  }
  // An image encoder goes to its IP-Adapter, in whatever order they were typed.
  const ordered = files.toSorted(
    (a, b) => Number(a.belonging.kind === 'image-encoder') - Number(b.belonging.kind === 'image-encoder'),
  );
  let scene = sceneOf(document);
  for (const { belonging, strength } of ordered) {
    if (belonging.kind === 'image-encoder' && !scene.additions.ipAdapter)
      throw new StudioError(
        'bad-use',
        `${belonging.path} is a CLIP image encoder, and there is no IP-Adapter to go with`,
        {
          kept: 'nothing was started',
          remedy: 'name the IP-Adapter by another --with',
        },
      );
    scene = withBelonging(scene, belonging, strength);
  }
  const checked = SceneRecord.safeParse(scene);
  if (!checked.success) throw new StudioError('bad-use', `--with: ${describeZodError(checked.error)}`);
  return { ...document, [scene.id]: checked.data };
}

async function generate(file: string, options: GenerateOptions) {
  const begin = performance.now();
  const session = await openEngineSession({ device: options.device, threads: options.threads });
  try {
    const read = withOptions(await readSceneFrom(file, session.blobs), options);
    const document = await withFiles(read, options.with, session.engine);
    const folder = await claimOutputFolder(options.out);
    try {
      const stem = path.basename(file).replace(/\.[^.]+$/, '');
      const keep = async ({ result }: FinishedResult): Promise<string> =>
        folder.write(`${stem}-seed${result.seed}.png`, await pictureWithScene(result, session.blobs));
      const made: Made[] = [];
      await run(session, GenerateRequest.parse({ records: toRecords(document) }), stem, options, async (finished) => {
        made.push({ file: await keep(finished), finished: [finished] });
      });
      const detail = options.detail ? detailSegments(document) : [];
      for (const picture of made) await addDetail(session, picture, detail, stem, options, keep);
      const pictures = made.map(summarise);
      const scene = sceneOf(document);
      return {
        scene: file,
        seed: scene.seed,
        guidance: scene.guidance,
        sampler: scene.sampler,
        pictures,
        files: pictures.map((picture) => picture.file),
        passes: pictures.reduce((sum, { passes }) => sum + passes, 0),
        milliseconds: Math.round(performance.now() - begin),
      };
    } finally {
      await folder.release();
    }
  } finally {
    await session.close();
  }
}

/** A picture's file, and what was made for it: the picture itself, then one result for each detail pass. */
interface Made {
  readonly file: string;
  readonly finished: [FinishedResult, ...FinishedResult[]];
}

async function run(
  session: EngineSession,
  request: GenerateRequest,
  label: string,
  options: GenerateOptions,
  result: (finished: FinishedResult) => Promise<void>,
): Promise<void> {
  const line = progressLine(label);
  await session.run(request, { progress: (progress) => options.quiet || line.show(progress), result });
  line.end();
}

/**
 * Makes the segments that ask for it anew, each from the picture of the pass before, as the studio does. The file is
 * replaced after each pass, so that what is done is there whatever happens next.
 * @throws StudioError what a pass ended with; the picture without it is kept
 */
async function addDetail(
  session: EngineSession,
  { file, finished }: Made,
  segments: readonly SegmentId[],
  stem: string,
  options: GenerateOptions,
  keep: (finished: FinishedResult) => Promise<string>,
): Promise<void> {
  let left = segments;
  for (;;) {
    const { result } = lastOf(finished);
    const order = detailPass(result, left);
    if (!order || order.purpose.kind !== 'redo-segment') return;
    const name = nameOf(result, order.purpose.segment);
    try {
      await run(session, { ...order, detail: [] }, `${stem}, detail pass of ${name}`, options, async (pass) => {
        await keep(pass);
        finished.push(pass);
      });
    } catch (error) {
      const { code, message, remedy } = StudioError.from(error);
      throw new StudioError(code, `the detail pass of ${name}: ${message}`, {
        kept: `${file}, without this pass`,
        remedy: remedy ?? 'leave the passes out by --no-detail',
        cause: error,
      });
    }
    left = order.detail;
  }
}

const lastOf = (finished: Made['finished']): FinishedResult => finished.at(-1) ?? finished[0];

function nameOf({ records }: Result, id: SegmentId): string {
  const document = toDocument(records);
  const segment = document[id];
  return segment?.type === 'segment' ? segmentName(document, segment) : '';
}

function summarise({ file, finished }: Made) {
  const { result } = lastOf(finished);
  const timings: Record<string, number> = {};
  for (const pass of finished)
    for (const [phase, ms] of Object.entries(pass.result.timings)) timings[phase] = (timings[phase] ?? 0) + ms;
  return {
    file,
    seed: result.seed,
    width: result.width,
    height: result.height,
    pack: result.pack,
    passes: finished.reduce((sum, pass) => sum + pass.result.passes, 0),
    milliseconds: Object.fromEntries(Object.entries(timings).map(([phase, ms]) => [phase, Math.round(ms)])),
    /** Segments made anew in frames of their own, in this order. */
    detail: finished.slice(1).flatMap((pass) => {
      const { purpose } = pass.result;
      return purpose.kind === 'redo-segment' ? [purpose.segment] : [];
    }),
    globalScore: result.globalScore,
    segments: result.scores.map((score) => ({
      id: score.segment,
      name: nameOf(result, score.segment),
      clipScore: score.clip,
      slotScore: score.slot,
      warnings: result.warnings
        .filter((warning) => warning.segment === score.segment)
        .map(({ code, message }) => ({ code, message })),
    })),
    warnings: result.warnings.map(({ segment, code, message }) => ({ segment, code, message })),
  };
}
