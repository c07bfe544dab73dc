import { useEffect } from 'react';
import { useStudio } from '../../app/studio.ts';
import { isModelFile, takeModelFile, takeModelFolder } from './take-model.ts';

/**
 * Models and what belongs to them may be dropped anywhere on the window; every other file goes where it is dropped. A
 * file that nobody takes must not replace the studio's page.
 */
export function ModelDrop() {
  const studio = useStudio();
  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    window.addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault(), { signal });
    window.addEventListener(
      'drop',
      (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        const given = [...(event.dataTransfer?.items ?? [])].flatMap((item) => {
          const file = item.getAsFile();
          return file ? [{ file, folder: item.webkitGetAsEntry()?.isDirectory === true }] : [];
        });
        const models = given.filter(({ file, folder }) => folder || isModelFile(file.name));
        for (const { file, folder } of models)
          studio.attempt(() => (folder ? takeModelFolder : takeModelFile)(studio, file));
      },
      { signal, capture: true },
    );
    return () => abort.abort();
  }, [studio]);
  return null;
}
