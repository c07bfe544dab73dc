import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { segmentName } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { createDocumentStore } from '../store/document-store.ts';
import type { DocumentState, DocumentStore } from '../store/document-store.ts';
import { createSessionStore } from '../store/session-store.ts';
import type { SessionState, SessionStore } from '../store/session-store.ts';
import { createViewStore } from '../store/view-store.ts';
import type { ViewState, ViewStore } from '../store/view-store.ts';
import { hostWords } from './host-words/host-words.ts';
import { translate } from './i18n/texts.ts';
import { createCommandRegistry } from './commands.ts';
import type { CommandRegistry } from './commands.ts';

/** One window's studio: the host's API, the stores and the commands. Made once in main.tsx. */
export interface Studio {
  readonly api: StudioApi;
  readonly document: DocumentStore;
  readonly view: ViewStore;
  readonly session: SessionStore;
  readonly commands: CommandRegistry;
  /** Where an `<img>` finds a blob. */
  blobUrl(hash: string): string;
  /** Runs something that may fail; a failure becomes a notice (a cancellation stays silent). */
  attempt(run: () => void | Promise<unknown>): void;
  /** Shows an error as a notice. */
  report(thrown: unknown): void;
}

export function createStudio(api: StudioApi, blobUrl: (hash: string) => string): Studio {
  const session = createSessionStore();
  const view = createViewStore();
  const report = (thrown: unknown): void => {
    const error = StudioError.from(thrown);
    if (error.code === 'cancelled') return;
    session.notify({
      level: 'error',
      ...hostWords({ message: withNames(studio, error.message), kept: error.kept, remedy: error.remedy }),
    });
  };
  const studio: Studio = {
    api,
    session,
    view,
    document: createDocumentStore(api, {
      onNotice: report,
      onRescued: (error) =>
        session.notify({
          level: 'warning',
          message: hostWords(error).message,
          kept: translate('rescue.kept'),
          remedy: translate('rescue.remedy'),
        }),
    }),
    commands: createCommandRegistry(() => studio),
    blobUrl,
    report,
    attempt: (run) => {
      try {
        const running = run();
        if (running instanceof Promise) running.catch(report);
      } catch (thrown) {
        report(thrown);
      }
    },
  };
  return studio;
}

/** A host's sentence with segments called by their names instead of their ids. */
export function withNames(studio: Pick<Studio, 'document'>, sentence: string): string {
  const { document } = studio.document.getState();
  return sentence.replaceAll(/segment:[A-Za-z0-9_-]+/g, (id) => {
    const segment = document[id];
    const name = segment?.type === 'segment' ? segmentName(document, segment) : '';
    return name ? `“${name}”` : id;
  });
}

export const StudioContext = createContext<Studio | null>(null);

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (!studio) throw new Error('useStudio outside of StudioContext');
  return studio;
}

/** A part of the document state; the component renders again when that part (compared shallowly) changes. */
export const useDocument = <T>(select: (state: DocumentState) => T): T =>
  useStore(useStudio().document, useShallow(select));
export const useView = <T>(select: (state: ViewState) => T): T => useStore(useStudio().view, useShallow(select));
export const useSession = <T>(select: (state: SessionState) => T): T =>
  useStore(useStudio().session, useShallow(select));
