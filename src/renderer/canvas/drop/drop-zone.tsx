import { useEffect, useState } from 'react';
import { takesText } from '../../app/keyboard.ts';
import { useT } from '../../app/i18n/texts.ts';
import { isModelFile } from '../../features/packs/take-model.ts';
import { ITEM_TYPE, placeDropped } from '../../features/library/actions.ts';
import type { Stage } from '../stage.ts';
import { takeFiles } from './take-files.ts';

/** The files of a drop but models and folders, which the window takes wherever they fall (features/packs). */
const filesIn = (data: DataTransfer | null): File[] =>
  [...(data?.items ?? [])].flatMap((item) => {
    const file = item.webkitGetAsEntry()?.isDirectory === true ? null : item.getAsFile();
    return file && !isModelFile(file.name) ? [file] : [];
  });

/** Files dropped on the canvas or beside it, kept segments dropped on it, files pasted anywhere but into a field. */
export function DropZone({ stage }: { readonly stage: Stage }) {
  const t = useT();
  const [over, setOver] = useState<'files' | 'item' | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const element = stage.root;
    let depth = 0;
    const carried = (event: DragEvent): 'files' | 'item' | null => {
      const types = event.dataTransfer?.types ?? [];
      return types.includes(ITEM_TYPE) ? 'item' : types.includes('Files') ? 'files' : null;
    };
    element.addEventListener('dragenter', (event) => {
        const what = carried(event);
        if (!what) return;
        depth += 1;
        setOver(what);
      }, { signal }); // prettier-ignore
    element.addEventListener('dragleave', (event) => {
        if (!carried(event)) return;
        depth -= 1;
        if (depth <= 0) setOver(null);
      }, { signal }); // prettier-ignore
    element.addEventListener('dragover', (event) => {
        if (!carried(event)) return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
      }, { signal }); // prettier-ignore
    element.addEventListener('drop', (event) => {
        depth = 0;
        setOver(null);
        const what = carried(event);
        if (!what) return;
        event.preventDefault();
        const files = filesIn(event.dataTransfer);
        const at = stage.toScene(event.clientX, event.clientY);
        const item = event.dataTransfer?.getData(ITEM_TYPE) ?? '';
        if (what === 'item') stage.studio.attempt(() => placeDropped(stage.studio, item, at));
        else stage.attempt(() => takeFiles(stage, files, { at, asReference: event.altKey }));
      }, { signal }); // prettier-ignore
    // beside the canvas, where nothing else has taken them: as if pasted
    window.addEventListener('drop', (event) => {
        if (carried(event) !== 'files' || stage.view.dialog) return;
        if (event.target instanceof Node && element.contains(event.target)) return;
        const files = filesIn(event.dataTransfer);
        stage.attempt(() => takeFiles(stage, files, { at: undefined, asReference: event.altKey }));
      }, { signal }); // prettier-ignore
    window.addEventListener('paste', (event) => {
        if (takesText(event.target) || event.defaultPrevented || stage.view.dialog) return;
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return;
        event.preventDefault();
        stage.attempt(() => takeFiles(stage, files, { at: undefined, asReference: false }));
      }, { signal }); // prettier-ignore
    return () => abort.abort();
  }, [stage]);
  return over ? (
    <div className="drop-zone">
      <span className="drop-words">{t(over === 'item' ? 'canvas.drop.item' : 'canvas.drop')}</span>
    </div>
  ) : null;
}
