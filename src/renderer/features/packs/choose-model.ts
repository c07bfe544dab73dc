import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf } from '#shared/document/document.ts';
import { partsThatDiffer, untouchedParts, valuesOf } from '#shared/document/model-values.ts';
import type { ModelPart, ModelValues } from '#shared/document/model-values.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import { formatNumber } from '../../app/format.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { SAMPLER_NAMES } from '../generate/sampler-names.ts';
import { packOf } from '../generate/requests.ts';
import { patchScene } from '../../store/recipes.ts';

/** The model of the scene that is open, as far as the host has told of it. */
export function modelOf(studio: Studio): PackSummary | undefined {
  const { packs, defaultPack } = studio.session.getState();
  return packOf(sceneOf(studio.document.getState().document), packs, defaultPack);
}

/** What changes in a scene that goes from one model to another: what nobody touched follows the model. */
export function movedTo(scene: SceneRecord, from: PackSummary | undefined, to: PackSummary): Partial<SceneRecord> {
  return valuesOf(scene, to.defaults, untouchedParts(scene, from ? [from.defaults] : []));
}

/**
 * The scene is made by this model from now on: one step of undo. Sampler, steps and dials that nobody touched follow
 * it; what the artist chose stays, and the notice has the model's values one click away.
 * @param more other changes of the scene that belong to the same step; its sampler and dials have no say
 */
export function chooseModel(studio: Studio, model: PackSummary, more: Partial<SceneRecord> = {}): void {
  const from = modelOf(studio);
  const { defaultPack } = studio.session.getState();
  studio.document.edit('edit.pack', (document) =>
    patchScene(document, {
      ...more,
      ...movedTo(sceneOf(document), from, model),
      pack: model.id === defaultPack ? null : model.id,
    }),
  );
  studio.document.seal();
}

/** The model that scenes without one of their own are made by; the open one follows it if it is such a scene. */
export async function makeDefault(studio: Studio, model: PackSummary): Promise<void> {
  const from = modelOf(studio);
  studio.session.setState({ settings: await studio.api.call('settings.set', { defaultPack: model.id }) });
  const scene = sceneOf(studio.document.getState().document);
  if (scene.pack !== null) return;
  studio.document.edit('edit.pack', (document) => patchScene(document, movedTo(sceneOf(document), from, model)));
  studio.document.seal();
}

/** Sampler, steps and dials as the scene's model recommends them: one step of undo. */
export function takeModelValues(studio: Studio): void {
  const model = modelOf(studio);
  if (!model) return;
  studio.document.edit('edit.modelValues', (document) =>
    patchScene(document, valuesOf(sceneOf(document), model.defaults)),
  );
  studio.document.seal();
}

/** The parts in which the open scene differs from its model. */
export function differingParts(studio: Studio): ModelPart[] {
  const model = modelOf(studio);
  return model ? partsThatDiffer(sceneOf(studio.document.getState().document), model.defaults) : [];
}

/** Says that the model is used, and what stayed as the artist had it. */
export function sayModelUsed(studio: Studio, message: string): void {
  const model = modelOf(studio);
  const kept = differingParts(studio);
  if (!model || kept.length === 0) {
    studio.session.notify({ level: 'info', message });
    return;
  }
  studio.session.notify({
    level: 'info',
    message,
    kept: kept.map((part) => translate(`model.kept.${part}`)).join('; '),
    action: { label: translate('model.useValues'), run: () => takeModelValues(studio) },
  });
}

/** As in "DPM++ 2M, 16 steps; chained, scene 1.5, segments 1.5". */
export function valueWords({ sampler, steps, mode, globalScale, localScale }: ModelValues): string {
  const dials =
    mode === 'single'
      ? formatNumber(localScale, 1)
      : translate('guidance.point', { scene: formatNumber(globalScale, 1), segments: formatNumber(localScale, 1) });
  return translate('model.values', {
    sampler: SAMPLER_NAMES[sampler],
    count: steps,
    mode: translate(`guidance.mode.${mode}`),
    dials,
  });
}
