import {
  cancelForeground,
  foregroundJob,
  generate,
  redoSegment,
  rollSeed,
  shownResult,
  startFromShown,
  upscale,
  vary,
} from '../../features/generate/actions.ts';
import { packOf } from '../../features/generate/requests.ts';
import {
  deleteResults,
  openAsItWas,
  openAsNewScene,
  openCompare,
  stepResult,
  toggleCompare,
  updateResult,
} from '../../features/history/actions.ts';
import { differingParts, takeModelValues } from '../../features/packs/choose-model.ts';
import { selectedSegments } from '../../features/segments/actions.ts';
import { sceneOf } from '#shared/document/document.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { patchScene } from '../../store/recipes.ts';
import type { Command } from '../commands.ts';
import type { Studio } from '../studio.ts';

const hasResult = (studio: Studio): boolean => studio.view.getState().shown.kind === 'result';

/** Whether the scene's pack can do something; unknown packs are given the benefit of the doubt. */
function can(studio: Studio, ability: PackSummary['abilities'][number]): boolean {
  const { packs, defaultPack } = studio.session.getState();
  const pack = packOf(sceneOf(studio.document.getState().document), packs, defaultPack);
  return !pack || pack.abilities.includes(ability);
}

export const GENERATE_COMMANDS: readonly Command[] = [
  {
    id: 'generate.start',
    label: 'command.generate.start',
    group: 'generate',
    shortcuts: ['Mod+Enter'],
    inText: true,
    enabled: (studio) => studio.document.getState().id !== null,
    run: async (studio) => void (await generate(studio)),
  },
  {
    id: 'generate.cancel',
    label: 'command.generate.cancel',
    group: 'generate',
    shortcuts: ['Mod+.'],
    inText: true,
    enabled: (studio) => foregroundJob(studio.session.getState().jobs) !== undefined,
    run: cancelForeground,
  },
  {
    id: 'generate.variations',
    label: 'command.generate.variations',
    group: 'generate',
    shortcuts: ['Mod+Shift+Enter'],
    inText: true,
    run: async (studio) => void (await vary(studio)),
  },
  {
    id: 'generate.redoSegment',
    label: 'command.generate.redoSegment',
    group: 'generate',
    shortcuts: ['Mod+R', 'Alt+R'],
    enabled: (studio) => hasResult(studio) && selectedSegments(studio).length === 1 && can(studio, 'redo-segment'),
    run: async (studio) => {
      const segment = selectedSegments(studio).at(-1);
      if (segment) await redoSegment(studio, segment.id);
    },
  },
  {
    id: 'generate.upscale2',
    label: 'command.generate.upscale2',
    group: 'generate',
    shortcuts: ['Alt+U'],
    enabled: (studio) => shownResult(studio) !== undefined && can(studio, 'upscale'),
    run: async (studio) => void (await upscale(studio, 2)),
  },
  {
    id: 'generate.upscale4',
    label: 'command.generate.upscale4',
    group: 'generate',
    shortcuts: ['Alt+Shift+U'],
    enabled: (studio) => shownResult(studio) !== undefined && can(studio, 'upscale'),
    run: async (studio) => void (await upscale(studio, 4)),
  },
  {
    id: 'generate.startPicture',
    label: 'command.generate.startPicture',
    group: 'generate',
    shortcuts: ['Alt+I'],
    enabled: (studio) => hasResult(studio) && can(studio, 'img2img'),
    run: (studio) => startFromShown(studio),
  },
  {
    id: 'generate.rollSeed',
    label: 'command.generate.rollSeed',
    group: 'generate',
    shortcuts: ['Alt+D'],
    run: rollSeed,
  },
  {
    id: 'generate.lockSeed',
    label: 'command.generate.lockSeed',
    group: 'generate',
    shortcuts: ['Alt+L'],
    checked: (studio) => sceneOf(studio.document.getState().document).seedLocked,
    run: (studio) =>
      void studio.document.edit('edit.seed', (document) =>
        patchScene(document, { seedLocked: !sceneOf(document).seedLocked }),
      ),
  },
  {
    id: 'generate.modelValues',
    label: 'command.generate.modelValues',
    group: 'generate',
    shortcuts: ['Alt+B'],
    enabled: (studio) => differingParts(studio).length > 0,
    run: takeModelValues,
  },
  {
    id: 'generate.live',
    label: 'command.generate.live',
    group: 'generate',
    shortcuts: ['T'],
    checked: (studio) => studio.view.getState().live,
    run: async (studio) => {
      const live = !studio.view.getState().live;
      studio.view.setState({ live });
      await studio.api.call('settings.set', { live });
    },
  },
  {
    id: 'generate.pause',
    label: 'command.generate.pause',
    group: 'generate',
    shortcuts: ['Alt+P'],
    checked: (studio) => studio.session.getState().paused,
    run: async (studio) => {
      await studio.api.call('queue.pause', { paused: !studio.session.getState().paused });
    },
  },
];

/** The command's result: named by the argument, else the shown one. */
const resultId = (studio: Studio) => {
  const { shown } = studio.view.getState();
  return shown.kind === 'result' ? shown.id : undefined;
};

const ofShown = (
  id: string,
  label: Command['label'],
  shortcuts: readonly string[],
  run: (studio: Studio, id: NonNullable<ReturnType<typeof resultId>>) => void | Promise<void>,
): Command => ({
  id,
  label,
  group: 'results',
  shortcuts,
  enabled: hasResult,
  run: (studio) => {
    const shown = resultId(studio);
    return shown === undefined ? undefined : run(studio, shown);
  },
});

export const RESULT_COMMANDS: readonly Command[] = [
  {
    id: 'results.history',
    label: 'command.results.history',
    group: 'results',
    shortcuts: ['Mod+Shift+H'],
    inText: true,
    run: (studio) => studio.view.openDialog({ name: 'history' }),
  },
  {
    id: 'results.previous',
    label: 'command.results.previous',
    group: 'results',
    shortcuts: [','],
    enabled: (studio) => studio.session.getState().results.length > 0,
    run: (studio) => stepResult(studio, -1),
  },
  {
    id: 'results.next',
    label: 'command.results.next',
    group: 'results',
    shortcuts: ['.'],
    enabled: (studio) => studio.session.getState().results.length > 0,
    run: (studio) => stepResult(studio, 1),
  },
  {
    id: 'results.compare',
    label: 'command.results.compare',
    group: 'results',
    shortcuts: ['C'],
    enabled: (studio) => studio.session.getState().results.length > 1,
    run: openCompare,
  },
  ofShown('results.mark', 'command.results.mark', ['Shift+C'], (studio, id) => toggleCompare(studio, id)),
  ofShown('results.star', 'command.results.star', ['*'], async (studio, id) => {
    const result = studio.session.getState().results.find((one) => one.id === id);
    await updateResult(studio, { id, starred: !result?.starred });
  }),
  ofShown('results.reopen', 'command.results.reopen', ['Alt+Enter'], openAsItWas),
  ofShown('results.newScene', 'command.results.newScene', [], openAsNewScene),
  ofShown('results.details', 'command.results.details', ['Alt+O'], (studio, id) =>
    studio.view.openDialog({ name: 'result', id }),
  ),
  ofShown('results.delete', 'command.results.delete', ['Shift+Delete'], (studio, id) => deleteResults(studio, [id])),
];
