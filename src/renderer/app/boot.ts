import type { OpenDocument } from '#shared/api/calls.ts';
import type { JobSummary } from '#shared/api/generation.ts';
import { StudioError } from '#shared/errors.ts';
import { hostWords } from './host-words/host-words.ts';
import { resolveLanguage, translate } from './i18n/texts.ts';
import { isDocumentText, takesText } from './keyboard.ts';
import { withNames } from './studio.ts';
import type { Studio } from './studio.ts';

/** Results the strip keeps at hand; the history view loads further ones. */
const STRIP = 60;
const RECOVERY_OFFERED = 'spatext-recovery-offered';

/** Shows a document and forgets what belonged to the last one. */
export function showDocument(studio: Studio, open: OpenDocument): void {
  studio.view.reset();
  studio.document.load(open);
}

/**
 * Fills the stores from the host and follows its events.
 * The document comes first: everything else may be late without being missed.
 */
export async function boot(studio: Studio): Promise<() => void> {
  const { api } = studio;
  const stop = follow(studio);
  const [info, settings, open] = await Promise.all([
    api.call('app.info', {}),
    api.call('settings.get', {}),
    api.call('document.current', { language: resolveLanguage('system', navigator.language) }),
  ]);
  studio.session.setState({ info, settings });
  studio.view.setState({ live: settings.live });
  showDocument(studio, open);
  studio.attempt(() => refresh(studio));
  studio.attempt(() => offerRecovery(studio));
  return stop;
}

/**
 * Offers what an earlier time left behind, once for each window: a reload is no new start. After a crash that is a
 * dialog, since the scene that was being worked on is not the one that is open. Scenes that were left unsaved on
 * purpose get a notice only: the first key may be Ctrl+Enter.
 */
async function offerRecovery(studio: Studio): Promise<void> {
  const found = await studio.api.call('project.recoverable', {});
  if (found.length === 0 || sessionStorage.getItem(RECOVERY_OFFERED)) return;
  sessionStorage.setItem(RECOVERY_OFFERED, 'yes');
  const show = (): void => studio.view.openDialog({ name: 'recover' });
  if (found.some((one) => one.crashed)) show();
  else
    studio.session.notify({
      level: 'info',
      message: translate('recover.found', { count: found.length }),
      action: { label: translate('recover.show'), run: show },
    });
}

/** Everything that may have changed while nobody listened: at start and after a lost connection. */
export async function refresh(studio: Studio): Promise<void> {
  const { api, session } = studio;
  const [packs, queue, results, usage, devices] = await Promise.allSettled([
    api.call('packs.list', {}),
    api.call('queue.list', {}),
    api.call('results.list', { limit: STRIP }),
    api.call('results.usage', {}),
    api.call('devices.list', {}),
  ]);
  if (packs.status === 'fulfilled')
    session.setState({
      packs: packs.value.packs,
      defaultPack: packs.value.defaultPack,
      openModel: packs.value.open,
    });
  if (queue.status === 'fulfilled') session.setState({ jobs: queue.value.jobs, paused: queue.value.paused });
  if (results.status === 'fulfilled')
    session.setState({ results: results.value.results, resultsTotal: results.value.total });
  if (usage.status === 'fulfilled') session.setState({ usage: usage.value });
  if (devices.status === 'fulfilled') session.setState({ devices: devices.value });
  for (const answer of [packs, queue, results])
    if (answer.status === 'rejected' && StudioError.from(answer.reason).code !== 'unsupported')
      studio.report(answer.reason);
}

/** Commands that the browser has for text fields. */
const NATIVE: Readonly<Record<string, string>> = {
  'edit.undo': 'undo',
  'edit.redo': 'redo',
  'edit.selectAll': 'selectAll',
};

/** Carries the host's events into the stores. @returns the end of it */
function follow(studio: Studio): () => void {
  const { api, session, view } = studio;
  const stops = [
    api.on('queue.changed', ({ jobs, paused }) => session.setState({ jobs, paused })),
    api.on('job.changed', ({ job }) => {
      session.putJob(job);
      noteFailure(studio, job);
    }),
    api.on('result.added', ({ result }) => {
      session.putResult(result);
      studio.attempt(async () => session.setState({ usage: await api.call('results.usage', {}) }));
    }),
    api.on('result.changed', ({ result }) => {
      if (result.deleted) session.dropResults([result.id]);
      else session.putResult(result);
    }),
    api.on('results.removed', ({ ids }) => {
      session.dropResults(ids);
      const { shown, compare } = view.getState();
      if (shown.kind === 'result' && ids.includes(shown.id)) view.setState({ shown: { kind: 'none' } });
      if (compare.some((id) => ids.includes(id))) view.setState({ compare: compare.filter((id) => !ids.includes(id)) });
      studio.attempt(async () => session.setState({ usage: await api.call('results.usage', {}) }));
    }),
    api.on('document.saved', ({ id, dirty }) => {
      const state = studio.document.getState();
      if (state.id === id) studio.document.markSaved(state.file, dirty);
    }),
    api.on('document.trouble', ({ id, stuck }) => {
      if (studio.document.getState().id === id) studio.document.markStuck(stuck);
    }),
    api.on('settings.changed', ({ settings }) => {
      session.setState({ settings });
      view.setState({ live: settings.live });
    }),
    api.on('packs.changed', () =>
      studio.attempt(async () => {
        const { packs, defaultPack, open: openModel } = await api.call('packs.list', {});
        session.setState({ packs, defaultPack, openModel });
      }),
    ),
    api.on('device.changed', ({ device }) =>
      session.setState(({ devices }) => ({ devices: devices.map((old) => (old.id === device.id ? device : old)) })),
    ),
    api.on('notice', (notice) => session.notify({ level: notice.level, ...hostWords(notice) })),
    api.on('command', ({ name, argument }) => {
      // A menu's undo while a search field or the like has the focus is meant for that field.
      const target = document.activeElement;
      const native = NATIVE[name];
      if (native && takesText(target) && !(isDocumentText(target) && name !== 'edit.selectAll'))
        document.execCommand(native);
      else studio.commands.run(name, argument);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** A failed job is said once, with what to do; quiet jobs (live, grid) that fail say it as a warning. */
function noteFailure(studio: Studio, job: JobSummary): void {
  if (job.state !== 'failed' || !job.error) return;
  studio.session.setState({ lastFailure: job.error });
  const quiet = job.purpose.kind === 'live' || job.purpose.kind === 'grid';
  studio.session.notify({
    level: quiet ? 'warning' : 'error',
    ...hostWords({ ...job.error, message: withNames(studio, job.error.message) }),
  });
}
