import '@fontsource-variable/inter/wght.css';
import './theme/theme.css';
import './theme/base.css';
import '../ui/ui.css';
import i18next from 'i18next';
import { sceneOf } from '#shared/document/document.ts';
import { followGrid } from '../features/guidance/grid.ts';
import { followJobs } from '../features/generate/follow-jobs.ts';
import { followLive } from '../features/generate/live.ts';
import { followWarnings } from '../features/segments/warnings.ts';
import { ALL_COMMANDS } from './command-list/all.ts';
import type { Connection } from './connection.ts';
import { resolveLanguage, setLanguage, startTexts } from './i18n/texts.ts';
import { followKeyboard } from './keyboard.ts';
import { createStudio } from './studio.ts';
import type { Studio } from './studio.ts';
import { followTheme } from './theme/theme.ts';

interface Steps {
  boot(studio: Studio): Promise<() => void>;
  refresh(studio: Studio): Promise<void>;
}

/**
 * Makes the window's studio: texts and theme first, so that the first paint is already right, then the view, then
 * the document. What the host answers late fills in.
 */
export async function startStudio(
  connection: Connection,
  steps: Steps,
  render: (studio: Studio) => void,
): Promise<Studio> {
  await startTexts(resolveLanguage('system', navigator.language));
  const studio = createStudio(connection.api, connection.blobUrl);
  const { session } = studio;
  studio.commands.add(ALL_COMMANDS);
  followTheme(
    () => session.getState().settings,
    (listener) => session.subscribe((state, before) => state.settings !== before.settings && listener()),
  );
  session.subscribe((state, before) => {
    if (state.settings.language === before.settings.language && state.info === before.info) return;
    const language = resolveLanguage(state.settings.language, state.info?.locale ?? navigator.language);
    if (language !== i18next.language) studio.attempt(() => setLanguage(language));
    document.documentElement.lang = language;
  });
  studio.document.subscribe((state, before) => {
    if (state.document === before.document) return;
    const { title } = sceneOf(state.document);
    document.title = title ? `${title} – SpaText Studio` : 'SpaText Studio';
  });
  render(studio);
  const keyboard = followKeyboard(studio);
  connection.onState((line) => {
    const was = session.getState().connection;
    session.setState({ connection: line });
    if (line === 'open' && was === 'closed') studio.attempt(() => steps.refresh(studio));
  });
  try {
    await steps.boot(studio);
  } catch (thrown) {
    studio.report(thrown);
    return studio;
  }
  followJobs(studio);
  followLive(studio);
  followGrid(studio);
  followWarnings(studio);
  keyboard.runEarly();
  // Edits that no host has yet would go with the page.
  window.addEventListener('beforeunload', (event) => {
    if (studio.document.getState().sync === 'offline') event.preventDefault();
  });
  // The journal gets what is left when the window goes.
  window.addEventListener('pagehide', () => void studio.document.flush());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void studio.document.flush();
  });
  return studio;
}
