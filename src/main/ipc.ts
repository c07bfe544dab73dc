import type { Studio } from '#host/studio.ts';
import { CHANNELS } from '#shared/api/electron-bridge.ts';
import { refusal } from '#shared/api/wire.ts';
import type { Reply } from '#shared/api/wire.ts';
import { StudioError } from '#shared/errors.ts';
import { isTrustedSender } from './sender.ts';
import type { SenderEvent } from './sender.ts';

interface CallEvent extends SenderEvent {
  readonly sender: { readonly id: number };
}

/** The part of Electron's ipcMain that is used. */
export interface IpcMain {
  handle(channel: string, listener: (event: CallEvent, ...args: unknown[]) => Promise<Reply>): void;
  removeHandler(channel: string): void;
}

/** A window that events go to. */
export interface EventTarget {
  readonly windowId: string;
  send(channel: string, name: string, payload: unknown): void;
}

export interface IpcOptions {
  readonly ipcMain: IpcMain;
  readonly studio: Studio;
  /** The name of the window with this webContents; undefined for any other. */
  windowOf(webContentsId: number): string | undefined;
  targets(): Iterable<EventTarget>;
  /** A window has its document now: it can take commands. */
  onReady?(windowId: string): void;
}

/**
 * Carries the studio's API over Electron's IPC: one channel for calls, one for events. Every call is checked for who
 * sent it before anything else is looked at. @returns the end of it
 */
export function serveIpc(options: IpcOptions): () => void {
  const { ipcMain, studio } = options;
  const refuse = (event: CallEvent): Reply => {
    studio.parts.log.warning(
      `ipc: refused a call from ${event.senderFrame?.url.slice(0, 200) ?? 'a frame that is gone'}`,
    );
    return refusal(new StudioError('refused', 'the call did not come from a window of the studio'));
  };
  ipcMain.handle(CHANNELS.call, async (event, name, input) => {
    const windowId = options.windowOf(event.sender.id);
    if (windowId === undefined || !isTrustedSender(event)) return refuse(event);
    const reply = await studio.call(name, input, windowId);
    // After the reply is on its way, so that a command finds the document loaded.
    if (name === 'document.current' && reply.ok) setImmediate(() => options.onReady?.(windowId));
    return reply;
  });
  // Pages have no way to this channel: the preload script sends what the system says of a file that was dropped.
  ipcMain.handle(CHANNELS.dropped, async (event, file) => {
    if (options.windowOf(event.sender.id) === undefined || !isTrustedSender(event)) return refuse(event);
    if (typeof file !== 'string') return refusal(new StudioError('bad-input', 'a dropped file has a path'));
    studio.parts.grants.grantRead(file);
    return { ok: true, output: {} };
  });
  const stop = studio.parts.hub.on((event) => {
    for (const target of options.targets())
      if (event.window === null || event.window === target.windowId)
        target.send(CHANNELS.event, event.name, event.payload);
  });
  return () => {
    stop();
    ipcMain.removeHandler(CHANNELS.call);
    ipcMain.removeHandler(CHANNELS.dropped);
  };
}
