import '@fontsource-variable/inter/wght.css';
import '../../../src/renderer/app/theme/theme.css';
import '../../../src/renderer/app/theme/base.css';
import '../../../src/renderer/ui/ui.css';
import { Tooltip } from 'radix-ui';
import { createRoot } from 'react-dom/client';
import type { DocumentRecord } from '#shared/document/records.ts';
import { EDIT_COMMANDS, SEGMENT_COMMANDS } from '../../../src/renderer/app/command-list/edit.ts';
import { TOOL_COMMANDS, VIEW_COMMANDS } from '../../../src/renderer/app/command-list/view.ts';
import { startTexts } from '../../../src/renderer/app/i18n/texts.ts';
import { followKeyboard } from '../../../src/renderer/app/keyboard.ts';
import { StudioContext, createStudio } from '../../../src/renderer/app/studio.ts';
import { CanvasView } from '../../../src/renderer/canvas/index.tsx';
import { stageOf } from '../../../src/renderer/canvas/stage.ts';
import { followWarnings } from '../../../src/renderer/features/segments/warnings.ts';
import { createMemoryApi } from './memory-api.ts';
import { crowd, picnic } from './scenes.ts';

/**
 * The canvas alone, without a host: for developing and measuring it. Query: theme, lang, scene=picnic|empty|crowd,
 * count and side for crowd.
 */
const query = new URLSearchParams(location.search);
document.documentElement.dataset.theme = query.get('theme') ?? 'dark';
const memory = createMemoryApi();
await startTexts(query.get('lang') === 'de' ? 'de' : 'en');
const studio = createStudio(memory.api, (hash) => memory.blobUrl(hash));
studio.commands.add([...EDIT_COMMANDS, ...SEGMENT_COMMANDS, ...TOOL_COMMANDS, ...VIEW_COMMANDS]);
followKeyboard(studio);
followWarnings(studio);

function load(records: DocumentRecord[]): void {
  studio.view.reset();
  studio.document.load({ id: 'doc-harness', records, undo: [], redo: [], file: null, dirty: false });
}
const scene = query.get('scene') ?? 'picnic';
if (scene === 'crowd') load(crowd(Number(query.get('count') ?? 50), Number(query.get('side') ?? 2048)));
else if (scene === 'empty') load(picnic().slice(0, 1));
else load(picnic());

/** The canvas below as it is, or painted anew as a whole. */
function paintedPixels(anew: boolean): Uint8ClampedArray {
  const canvas = stageOf(studio)?.scene.canvas;
  if (!canvas) throw new Error('no canvas');
  if (anew) {
    canvas.requestRenderAll();
    canvas.renderAll();
  }
  const { width, height } = canvas.lowerCanvasEl;
  return canvas.contextContainer.getImageData(0, 0, width, height).data;
}

Object.assign(window, {
  studio,
  memory,
  load,
  crowd,
  picnic,
  canvasSettled: () => stageOf(studio)?.masks.settled ?? false,
  paintedPixels,
  pictureShown: () => stageOf(studio)?.scene.picture !== undefined,
  segmentAt: (x: number, y: number) => stageOf(studio)?.scene.segmentAt([x, y]),
});
createRoot(document.getElementById('root') as HTMLElement).render(
  <StudioContext value={studio}>
    <Tooltip.Provider delayDuration={450}>
      <div style={{ position: 'absolute', inset: 0 }}>
        <CanvasView />
      </div>
    </Tooltip.Provider>
  </StudioContext>,
);
