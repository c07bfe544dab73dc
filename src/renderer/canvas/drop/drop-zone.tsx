import { useEffect, useState } from 'react';
import { takesText } from '../../app/keyboard.ts';
import { useT } from '../../app/i18n/texts.ts';
import type { Stage } from '../stage.ts';
import { takeFiles } from './take-files.ts';

/** Files dropped on the canvas or pasted anywhere but into a field. */
export function DropZone({ stage }: { readonly stage: Stage }) {
  const t = useT();
  const [over, setOver] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const element = stage.root;
    let depth = 0;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    element.addEventListener('dragenter', (event) => {
        if (!hasFiles(event)) return;
        depth += 1;
        setOver(true);
      }, { signal }); // prettier-ignore
    element.addEventListener('dragleave', (event) => {
        if (!hasFiles(event)) return;
        depth -= 1;
        if (depth <= 0) setOver(false);
      }, { signal }); // prettier-ignore
    element.addEventListener('dragover', (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
      }, { signal }); // prettier-ignore
    element.addEventListener('drop', (event) => {
        depth = 0;
        setOver(false);
        if (!hasFiles(event)) return;
        event.preventDefault();
        const files = [...(event.dataTransfer?.files ?? [])];
        const at = stage.toScene(event.clientX, event.clientY);
        stage.attempt(() => takeFiles(stage, files, { at, asReference: event.altKey }));
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
      <span className="drop-words">{t('canvas.drop')}</span>
    </div>
  ) : null;
}
