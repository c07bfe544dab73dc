import type { CallInput } from '#shared/api/calls.ts';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { stepsOfStages } from '#shared/stages.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { detailSegments, sceneOf, segmentsOf, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import type { DocumentRecord, SceneRecord, SegmentId } from '#shared/document/records.ts';
import type { ViewState } from '../../store/view-store.ts';

export type Request = CallInput<'generate.start'>;

/** A new unsigned 32-bit seed. */
export const freshSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

/** What changes in the scene for one job only. */
type ScenePatch = Partial<Pick<SceneRecord, 'seed' | 'batch' | 'sampler' | 'start' | 'upscale' | 'width' | 'height'>>;

/**
 * The document as a job gets it: soloed segments alone, and the seed that this job has.
 * @param solo segments that alone take part; empty: all
 */
export function snapshot(
  document: StudioDocument,
  solo: readonly SegmentId[],
  patch: ScenePatch = {},
): DocumentRecord[] {
  return toRecords(document).map((record) => {
    if (record.type === 'scene') return { ...record, ...patch };
    if (record.type === 'segment' && solo.length > 0) return { ...record, visible: solo.includes(record.id) };
    return record;
  });
}

const seedFor = (scene: SceneRecord): number => (scene.seedLocked ? scene.seed : freshSeed());

const parentsOf = (shown: ViewState['shown']): ResultId[] => (shown.kind === 'result' ? [shown.id] : []);

type View = Pick<ViewState, 'solo' | 'shown'>;

/** A picture of the scene as it is; the shown result is its parent when the scene starts from it. */
export function generateRequest(document: StudioDocument, view: View): Request {
  const scene = sceneOf(document);
  return {
    records: snapshot(document, view.solo, { seed: seedFor(scene) }),
    purpose: { kind: 'generate' },
    parents: parentsOf(view.shown),
    priority: 'front',
    detail: detailSegments(document, view.solo),
  };
}

/** Pictures near the one whose seed the scene has. @param strength how far they go, 0.05..1 */
export const variationsRequest = (
  document: StudioDocument,
  view: View,
  count: number,
  strength: number,
  seed: number,
): Request => ({
  records: snapshot(document, view.solo, { seed }),
  purpose: { kind: 'variations', count, strength },
  parents: parentsOf(view.shown),
  priority: 'front',
  detail: detailSegments(document, view.solo),
});

/** Makes one segment anew in the shown result. */
export const redoSegmentRequest = (
  document: StudioDocument,
  shown: { readonly id: ResultId; readonly picture: BlobHash },
  segment: SegmentId,
  strength = 1,
): Request => ({
  records: snapshot(document, [], { seed: freshSeed(), batch: { count: 1, bestOf: 1 } }),
  purpose: { kind: 'redo-segment', segment, picture: shown.picture, strength },
  parents: [shown.id],
  priority: 'front',
});

export const upscaleRequest = (document: StudioDocument, result: ResultSummary, factor: 2 | 4): Request => ({
  records: snapshot(document, [], { seed: result.seed }),
  purpose: { kind: 'upscale', picture: result.picture, factor },
  parents: [result.id],
  priority: 'front',
});

/** Small pictures at guidance points [local, global], behind everything the artist waits for. */
export const gridRequest = (
  document: StudioDocument,
  view: View,
  points: readonly (readonly [number, number])[],
  steps: number,
  seed: number,
): Request => ({
  records: snapshot(document, view.solo, { seed, batch: { count: 1, bestOf: 1 }, upscale: 1 }),
  purpose: { kind: 'grid', points: points.map(([local, global]) => [local, global]), steps },
  priority: 'background',
});

/** A quick picture of the drawing. The seed stays, so that only the drawing changes the picture. */
export const liveRequest = (document: StudioDocument, view: View, steps: number): Request => ({
  records: snapshot(document, view.solo, { batch: { count: 1, bestOf: 1 }, upscale: 1 }),
  purpose: { kind: 'live', steps },
  priority: 'front',
});

/** Passes whose coefficient is not zero (planGuidance in the engine): chained at equal scales needs two, not three. */
function passesPerStep({ mode, globalScale, localScale, scale }: SceneRecord['guidance']): number {
  const coefficients = {
    multi: [1 - globalScale - localScale, globalScale, localScale],
    joint: [1 - globalScale, globalScale - localScale, localScale],
    single: [1 - scale, scale],
  }[mode];
  return Math.max(1, coefficients.filter((value) => Math.abs(value) > 1e-9).length);
}

/**
 * Network passes of a scene's pictures: what "16 steps" costs. Some samplers call the network twice a step, and an
 * artist's own model makes large canvases in two stages.
 */
export function passesOf(scene: SceneRecord, pack?: PackSummary): number {
  const perStep = passesPerStep(scene.guidance);
  const calls = scene.sampler.name === 'heun' || scene.sampler.name === 'dpm2-a' ? 2 : 1;
  const { steps } = scene.sampler;
  const staged = pack?.anySize ? stepsOfStages(scene, pack.outputSize.width, steps) : steps;
  return staged * perStep * calls * scene.batch.count * scene.batch.bestOf;
}

/** The pack a scene is made with. */
export const packOf = (
  scene: SceneRecord,
  packs: readonly PackSummary[],
  defaultPack: string | null,
): PackSummary | undefined => packs.find((pack) => pack.id === (scene.pack ?? defaultPack));

/** Whether two documents would give the same picture: texts in hidden segments, notes and names do not count. */
export function sameForModel(a: StudioDocument, b: StudioDocument): boolean {
  return a === b || modelKey(a) === modelKey(b);
}

/** Everything of a document that reaches the model, as a string to compare. */
export function modelKey(document: StudioDocument): string {
  const scene = sceneOf(document);
  const { width, height, text, negativeText, guidance, sampler, seed, pack, loras, additions, start } = scene;
  const segments = segmentsOf(document)
    .filter((segment) => segment.visible)
    .map(
      ({ name: _name, color: _color, locked: _locked, group: _group, order: _order, detail: _detail, ...rest }) => rest,
    );
  const slots = Object.values(document).filter((record) => record.type === 'slot');
  const made = { width, height, text, negativeText, guidance, sampler, seed, pack, loras, additions, start };
  return JSON.stringify([made, segments, slots]);
}
