import path from 'node:path';
import type { BrowserWindow, FileFilter, OpenDialogOptions, SaveDialogOptions } from 'electron';
import type { Shell } from '#host/shell.ts';

interface NativeDialogs {
  showOpenDialog(
    window: BrowserWindow,
    options: OpenDialogOptions,
  ): Promise<{ canceled: boolean; filePaths: string[] }>;
  showSaveDialog(window: BrowserWindow, options: SaveDialogOptions): Promise<{ canceled: boolean; filePath?: string }>;
}

const FILTERS: Readonly<Record<'project' | 'import' | 'pack', FileFilter[]>> = {
  project: [{ name: 'SpaText', extensions: ['spatext'] }],
  import: [
    {
      name: 'Scenes and pictures',
      extensions: ['spatext', 'json', 'png', 'jpg', 'jpeg', 'webp', 'psd', 'ora', 'svg', 'npy', 'zip'],
    },
    { name: 'All files', extensions: ['*'] },
  ],
  pack: [
    { name: 'Models', extensions: ['json', 'safetensors', 'zip'] },
    { name: 'All files', extensions: ['*'] },
  ],
};

/** A model pack is a folder; where a dialog cannot show both, its description stands for it. */
const PACK_MARKS: ReadonlySet<string> = new Set(['pack.json', 'model_index.json']);

/** The system's dialogs over the window that asks. */
export function nativeDialogs(
  dialog: NativeDialogs,
  windowById: (id: string) => BrowserWindow | undefined,
  platform: NodeJS.Platform,
): NonNullable<Shell['dialogs']> {
  return {
    async open(windowId, what) {
      const window = windowById(windowId);
      if (!window) return null;
      // Only a Mac can offer files and folders at once.
      const folders = what === 'pack' && platform === 'darwin';
      const { canceled, filePaths } = await dialog.showOpenDialog(window, {
        filters: FILTERS[what],
        properties: folders ? ['openFile', 'openDirectory'] : ['openFile'],
      });
      const [chosen] = filePaths;
      if (canceled || chosen === undefined) return null;
      return what === 'pack' && PACK_MARKS.has(path.basename(chosen)) ? path.dirname(chosen) : chosen;
    },
    async save(windowId, suggestedName) {
      const window = windowById(windowId);
      if (!window) return null;
      const extension = path.extname(suggestedName).slice(1);
      const { canceled, filePath } = await dialog.showSaveDialog(window, {
        // A name only: a suggestion must not lead into another folder.
        defaultPath: path.basename(suggestedName),
        ...(extension === '' ? {} : { filters: [{ name: extension.toUpperCase(), extensions: [extension] }] }),
        properties: ['createDirectory', 'showOverwriteConfirmation'],
      });
      return canceled || !filePath ? null : filePath;
    },
  };
}
