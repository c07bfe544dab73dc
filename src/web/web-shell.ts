import type { Shell } from '#host/shell.ts';

/** The browser as a shell: no native dialogs, and the page itself opens a link that the host has allowed. */
export const webShell = (locale: string = Intl.DateTimeFormat().resolvedOptions().locale): Shell => ({
  kind: 'web',
  locale,
  dialogs: null,
  openExternal: () => Promise.resolve(),
});
