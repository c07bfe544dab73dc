import type { BrowserWindow, MessageBoxOptions } from 'electron';

interface MessageDialogs {
  showMessageBox(window: BrowserWindow, options: MessageBoxOptions): Promise<{ response: number }>;
}

/** Says what happened to a window's page, what was kept, and asks what to do. */
export async function askAboutTrouble(
  dialog: MessageDialogs,
  window: BrowserWindow,
  trouble: 'gone' | 'unresponsive',
): Promise<'reload' | 'wait' | 'close'> {
  const answers = trouble === 'gone' ? (['reload', 'close'] as const) : (['wait', 'reload', 'close'] as const);
  const labels = { reload: 'Load again', wait: 'Wait', close: 'Close window' } as const;
  const { response } = await dialog.showMessageBox(window, {
    type: 'warning',
    message: trouble === 'gone' ? 'The window stopped several times.' : 'The window does not answer.',
    detail: 'Your scene is kept up to the last second, and running jobs go on.',
    buttons: answers.map((answer) => labels[answer]),
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  return answers[response] ?? answers[0];
}
