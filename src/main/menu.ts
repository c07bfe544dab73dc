import type { MenuItemConstructorOptions } from 'electron';
import type { Settings } from '#shared/api/settings.ts';
import type { MenuTexts } from './menu-texts.ts';

export interface MenuOptions {
  readonly platform: NodeJS.Platform;
  readonly appName: string;
  readonly texts: MenuTexts;
  readonly recent: Settings['recent'];
  /** Not in a packaged studio. */
  readonly developer: boolean;
  /** Runs a command of the window in front (the names of renderer/app/commands). */
  command(name: string, argument?: string): void;
  newWindow(): void;
  clearRecent(): void;
  showLog(): void;
  showData(): void;
}

/** The application's menu, as each system expects it. */
export function menuTemplate(options: MenuOptions): MenuItemConstructorOptions[] {
  const { texts, platform } = options;
  const mac = platform === 'darwin';
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  /**
   * An entry that runs a command. Elsewhere than on a Mac the shortcut is only shown: the window hears the key itself,
   * and would act twice.
   */
  const entry = (label: string, name: string, accelerator?: string): MenuItemConstructorOptions => ({
    label,
    id: name,
    click: () => options.command(name),
    ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: mac }),
  });

  const settings = entry(texts.settings, 'app.settings', 'CmdOrCtrl+,');
  const recent: MenuItemConstructorOptions[] = options.recent.map(({ name, path }) => ({
    label: name,
    toolTip: path,
    click: () => options.command('scene.open', path),
  }));
  const appMenu: MenuItemConstructorOptions = {
    label: options.appName,
    submenu: [
      { role: 'about' },
      separator,
      settings,
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  };
  const file: MenuItemConstructorOptions = {
    label: texts.file,
    submenu: [
      entry(texts.newScene, 'scene.new', 'CmdOrCtrl+N'),
      {
        label: texts.newWindow,
        id: 'window.new',
        accelerator: 'CmdOrCtrl+Alt+N',
        click: () => options.newWindow(),
      },
      separator,
      entry(texts.open, 'scene.open', 'CmdOrCtrl+O'),
      {
        label: texts.openRecent,
        enabled: recent.length > 0,
        submenu: [...recent, separator, { label: texts.clearRecent, click: () => options.clearRecent() }],
      },
      entry(texts.recover, 'scene.recover'),
      separator,
      entry(texts.save, 'scene.save', 'CmdOrCtrl+S'),
      entry(texts.saveAs, 'scene.saveAs', 'CmdOrCtrl+Shift+S'),
      entry(texts.export, 'scene.export', 'CmdOrCtrl+E'),
      separator,
      ...(mac ? [] : [settings, separator]),
      { role: 'close' },
      ...(mac ? [] : [{ role: 'quit' } satisfies MenuItemConstructorOptions]),
    ],
  };
  const edit: MenuItemConstructorOptions = {
    label: texts.edit,
    submenu: [
      // The window decides whether a text field or the scene takes it back.
      entry(texts.undo, 'edit.undo', 'CmdOrCtrl+Z'),
      entry(texts.redo, 'edit.redo', mac ? 'Cmd+Shift+Z' : 'Ctrl+Y'),
      separator,
      { role: 'cut' },
      { role: 'copy' },
      { role: 'paste' },
      separator,
      entry(texts.selectAll, 'edit.selectAll', 'CmdOrCtrl+A'),
    ],
  };
  const segment: MenuItemConstructorOptions = {
    label: texts.segment,
    submenu: [
      entry(texts.newSegment, 'segment.new'),
      entry(texts.editText, 'segment.editText'),
      entry(texts.duplicate, 'segment.duplicate'),
      entry(texts.delete, 'segment.delete'),
      separator,
      entry(texts.top, 'segment.top'),
      entry(texts.up, 'segment.up'),
      entry(texts.down, 'segment.down'),
      entry(texts.bottom, 'segment.bottom'),
      separator,
      entry(texts.invert, 'segment.invert'),
    ],
  };
  const generate: MenuItemConstructorOptions = {
    label: texts.generate,
    submenu: [
      entry(texts.start, 'generate.start', 'CmdOrCtrl+Enter'),
      entry(texts.variations, 'generate.variations', 'CmdOrCtrl+Shift+Enter'),
      entry(texts.redoSegment, 'generate.redoSegment', 'CmdOrCtrl+R'),
      separator,
      entry(texts.live, 'generate.live'),
      entry(texts.pause, 'generate.pause'),
      entry(texts.cancel, 'generate.cancel', 'CmdOrCtrl+.'),
      separator,
      entry(texts.models, 'app.models'),
    ],
  };
  const view: MenuItemConstructorOptions = {
    label: texts.view,
    submenu: [
      entry(texts.fit, 'view.fit', 'CmdOrCtrl+0'),
      entry(texts.actualSize, 'view.actualSize', 'CmdOrCtrl+1'),
      entry(texts.zoomIn, 'view.zoomIn', 'CmdOrCtrl+='),
      entry(texts.zoomOut, 'view.zoomOut', 'CmdOrCtrl+-'),
      separator,
      entry(texts.modelsEye, 'view.modelsEye'),
      entry(texts.history, 'results.history', 'CmdOrCtrl+Shift+H'),
      separator,
      entry(texts.leftPanel, 'view.left', 'CmdOrCtrl+B'),
      entry(texts.rightPanel, 'view.right', 'CmdOrCtrl+Alt+B'),
      entry(texts.bottomPanel, 'view.bottom', 'CmdOrCtrl+J'),
      separator,
      { role: 'togglefullscreen' },
      ...(options.developer ? [separator, { role: 'forceReload' } as const, { role: 'toggleDevTools' } as const] : []),
    ],
  };
  const help: MenuItemConstructorOptions = {
    role: 'help',
    label: texts.help,
    submenu: [
      entry(texts.palette, 'app.palette', 'CmdOrCtrl+K'),
      entry(texts.cheatSheet, 'app.cheatSheet', 'F1'),
      separator,
      { label: texts.showLog, click: () => options.showLog() },
      { label: texts.showData, click: () => options.showData() },
      ...(mac ? [] : [separator, { role: 'about' } satisfies MenuItemConstructorOptions]),
    ],
  };
  return [...(mac ? [appMenu] : []), file, edit, segment, generate, view, { role: 'windowMenu' }, help];
}
