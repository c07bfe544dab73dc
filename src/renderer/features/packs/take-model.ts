import type { LookedAt } from '#shared/api/packs.ts';
import { withBelonging } from '#shared/document/belongings.ts';
import { sceneOf } from '#shared/document/document.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { chooseModel, sayModelUsed } from './choose-model.ts';

/** Files by these endings are models, or belong to one; what they really are their first bytes tell. */
const MODEL_FILE = /\.(safetensors|sft|ckpt|pt|pth|bin|gguf|onnx|recipe\.json)$/i;
/** Enough of a file to tell it from another one of the same name and size. */
const HEAD_BYTES = 65_536;

export const isModelFile = (name: string): boolean => MODEL_FILE.test(name);

/** A model dropped on the window, or a file that belongs to one. Nothing of it is read into this window but its beginning. */
export async function takeModelFile(studio: Studio, file: File): Promise<void> {
  const path = (await window.spatext?.pathOf(file)) ?? (await findPath(studio, file));
  if (path !== null) {
    await takeModelPath(studio, path);
    return;
  }
  studio.session.notify({
    level: 'warning',
    message: translate('model.noPath', { name: file.name }),
    remedy: translate('model.noPathRemedy'),
    action: showModels(studio),
  });
}

/** A folder dropped on the window: only Electron knows where it lies. */
export async function takeModelFolder(studio: Studio, file: File): Promise<void> {
  const path = await window.spatext?.pathOf(file);
  if (path) await takeModelPath(studio, path);
  else
    studio.session.notify({
      level: 'warning',
      message: translate('model.folderNoPath'),
      remedy: translate('model.noPathRemedy'),
      action: showModels(studio),
    });
}

const showModels = (studio: Studio) => ({
  label: translate('model.showView'),
  run: () => studio.view.openDialog({ name: 'settings', page: 'models' }),
});

async function findPath(studio: Studio, file: File): Promise<string | null> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const found = await studio.api.call('packs.find', { name: file.name, bytes: file.size, head });
  return found.path;
}

/** A file or folder of this machine: a model is added and used, what belongs to a model is offered to those it fits. */
export async function takeModelPath(studio: Studio, path: string): Promise<void> {
  const looked = await studio.api.call('packs.look', { path });
  if (looked.kind === 'model') await addModel(studio, looked.path);
  else offer(studio, looked);
}

async function addModel(studio: Studio, path: string): Promise<void> {
  const added = await studio.api.call('packs.add', { path });
  studio.session.setState(({ packs }) => ({ packs: [...packs.filter((one) => one.id !== added.id), added] }));
  if (added.problem !== null) {
    studio.session.notify({ level: 'warning', message: `${added.name}: ${added.problem}` });
    return;
  }
  chooseModel(studio, added);
  if (added.needs === 'vae')
    studio.session.notify({ level: 'warning', message: translate('model.addedNeedsVae', { name: added.name }) });
  else sayModelUsed(studio, translate('model.added', { name: added.name }));
}

function offer(studio: Studio, looked: LookedAt): void {
  const { name, fits, misfit } = looked;
  const { kind: belonging } = looked;
  if (belonging === 'model') return;
  const kind = translate(`model.kind.${belonging}`);
  const { defaultPack } = studio.session.getState();
  const scene = sceneOf(studio.document.getState().document);
  const current = fits.find((model) => model.id === (scene.pack ?? defaultPack));
  const [first] = fits;
  const chosen = current ?? first;
  if (!chosen) {
    studio.session.notify({
      level: 'warning',
      message: translate('model.fitsNone', { name, kind }),
      remedy: misfit ?? translate('model.noModels'),
    });
    return;
  }
  if (belonging === 'image-encoder' && !scene.additions.ipAdapter) {
    studio.session.notify({
      level: 'warning',
      message: translate('model.adapterFirst', { name, kind }),
      remedy: translate('model.adapterFirstRemedy'),
    });
    return;
  }
  studio.session.notify({
    level: 'info',
    message: translate('model.belongs', { name, kind, models: fits.map((model) => model.name).join('; ') }),
    action: {
      label: current ? translate('model.use') : translate('model.useWith', { model: chosen.name }),
      run: () => {
        const now = sceneOf(studio.document.getState().document);
        const used = withBelonging(now, { kind: belonging, path: looked.path });
        const model = studio.session.getState().packs.find((pack) => pack.id === chosen.id);
        if (current || !model) {
          const label = belonging === 'lora' ? 'edit.lora' : 'edit.addition';
          studio.document.edit(label, (document) =>
            patchScene(document, current ? used : { ...used, pack: chosen.id }),
          );
          studio.session.notify({ level: 'info', message: translate('model.used', { name }) });
          return;
        }
        chooseModel(studio, model, used);
        sayModelUsed(studio, translate('model.used', { name }));
      },
    },
  });
}
