import { ChevronDown, Cpu, History, Redo2, Square, TriangleAlert, Undo2 } from 'lucide-react';
import { Switch } from 'radix-ui';
import { useId } from 'react';
import { sceneOf, segmentsOf } from '#shared/document/document.ts';
import { packOf } from '../../features/generate/requests.ts';
import { openProject } from '../../features/scene/actions.ts';
import { QueueButton } from '../../features/generate/queue.tsx';
import { patchScene } from '../../store/recipes.ts';
import { Button, IconButton, Tip } from '../../ui/button.tsx';
import { Editable } from '../../ui/editable.tsx';
import { Menu } from '../../ui/menu.tsx';
import type { MenuEntry } from '../../ui/menu.tsx';
import { Shortcut } from '../../ui/shortcut.tsx';
import { COMMAND_GROUPS } from '../commands.ts';
import { deviceWords } from '../host-words/host-words.ts';
import { labelText, useT } from '../i18n/texts.ts';
import iconUrl from '../icon.svg';
import { useDocument, useSession, useStudio } from '../studio.ts';
import { commandEntries, useCommand } from './use-command.ts';

export function TopBar() {
  const t = useT();
  return (
    <header className="topbar">
      <h1 className="sr-only">{t('app.name')}</h1>
      <AppMenu />
      <Title />
      <div className="topbar-sep" />
      <UndoButtons />
      <div className="topbar-space" />
      <PackButton />
      <div className="topbar-sep" />
      <LiveSwitch />
      <QueueButton />
      <HistoryButton />
      <GenerateButton />
    </header>
  );
}

/** Every command there is, by group: the same list as palette and cheat sheet. */
function AppMenu() {
  const studio = useStudio();
  const t = useT();
  useDocument((state) => [state.undo.length, state.redo.length]);
  const recent = useSession((session) => session.settings.recent);
  const reopen: MenuEntry[] =
    recent.length === 0
      ? []
      : [
          {
            kind: 'sub',
            id: 'recent',
            label: t('shell.recent'),
            items: recent.map((file) => ({
              id: file.path,
              label: file.name,
              run: () => studio.attempt(() => openProject(studio, file.path)),
            })),
          },
        ];
  const groups: MenuEntry[] = COMMAND_GROUPS.filter((group) => group !== 'scene' && group !== 'app').map((group) => ({
    kind: 'sub',
    id: group,
    label: t(`group.${group}`),
    items: commandEntries(studio, studio.commands.list().filter((command) => command.group === group).map((command) => command.id), t), // prettier-ignore
  }));
  return (
    <Menu
      trigger={
        <button type="button" className="topbar-logo" aria-label={t('shell.menu')}>
          <img src={iconUrl} alt="" />
          <ChevronDown />
        </button>
      }
      entries={[
        ...commandEntries(studio, ['scene.new', 'scene.open'], t),
        ...reopen,
        ...commandEntries(studio, ['scene.recover', '-', 'scene.save', 'scene.saveAs', 'scene.export', '-'], t),
        ...groups,
        ...commandEntries(studio, ['-', 'app.palette', 'app.cheatSheet', 'app.settings'], t),
      ]}
    />
  );
}

function Title() {
  const studio = useStudio();
  const t = useT();
  const { title, id, sync, dirty, file, stuck } = useDocument((state) => ({
    title: sceneOf(state.document).title,
    id: state.id,
    sync: state.sync,
    dirty: state.dirty,
    file: state.file,
    stuck: state.stuck,
  }));
  const connection = useSession((session) => session.connection);
  const offline = connection === 'closed' || sync === 'offline';
  const words = offline
    ? t('saved.offline')
    : stuck
      ? t('saved.stuck')
      : sync === 'saving'
        ? t('saved.saving')
        : file
          ? t(dirty ? 'saved.dirty' : 'saved.file')
          : t('saved.autosaved');
  const hint = file ? file.path : t('saved.autosavedHint');
  return (
    <div className="topbar-title">
      <Editable
        label={t('scene.title')}
        value={title}
        placeholder={t('scene.untitled')}
        maxLength={200}
        onChange={(next) =>
          studio.document.edit('edit.title', (document) => patchScene(document, { title: next.trim() }))
        }
      />
      {id ? (
        <Tip label={hint}>
          <span className="topbar-saved" data-state={offline ? 'offline' : stuck ? 'stuck' : sync} role="status">
            {words}
          </span>
        </Tip>
      ) : null}
    </div>
  );
}

function UndoButtons() {
  const t = useT();
  const undo = useCommand('edit.undo');
  const redo = useCommand('edit.redo');
  const [undoLabel, redoLabel] = useDocument((state) => [state.undo.at(-1)?.label, state.redo.at(-1)?.label]);
  return (
    <>
      <IconButton
        label={undoLabel ? t('command.edit.undoWhat', { what: labelText(undoLabel) }) : undo.label}
        shortcut={undo.shortcut}
        icon={<Undo2 />}
        disabled={!undo.enabled}
        onClick={undo.run}
      />
      <IconButton
        label={redoLabel ? t('command.edit.redoWhat', { what: labelText(redoLabel) }) : redo.label}
        shortcut={redo.shortcut}
        icon={<Redo2 />}
        disabled={!redo.enabled}
        onClick={redo.run}
      />
    </>
  );
}

function PackButton() {
  const studio = useStudio();
  const t = useT();
  const scene = useDocument((state) => sceneOf(state.document));
  const { packs, defaultPack, settings, devices } = useSession(
    ({ packs: all, defaultPack: one, settings: now, devices: found }) => ({
      packs: all,
      defaultPack: one,
      settings: now,
      devices: found,
    }),
  );
  const pack = packOf(scene, packs, defaultPack);
  const device = devices.find((one) => one.id === (settings.device === 'auto' ? 'cpu' : settings.device));
  const deviceName =
    settings.device === 'auto' ? t('device.auto') : device ? deviceWords(device.name) : settings.device.toUpperCase();
  const problem = pack ? pack.problem !== null : packs.length > 0;
  return (
    <Tip label={pack?.problem ?? t('shell.packHint')}>
      <button
        type="button"
        className="topbar-pack"
        data-problem={problem}
        onClick={() => studio.view.openDialog({ name: 'settings', page: 'models' })}
      >
        {problem ? <TriangleAlert /> : <Cpu />}
        <span className="ellipsis">{pack?.name ?? (packs.length > 0 ? t('packs.missing') : t('packs.loading'))}</span>
        <span className="dot">·</span>
        <span className="ellipsis">
          {deviceName}
          {settings.threads > 0 ? `, ${t('device.threads', { count: settings.threads })}` : ''}
        </span>
      </button>
    </Tip>
  );
}

function LiveSwitch() {
  const id = useId();
  const live = useCommand('generate.live');
  const t = useT();
  return (
    <Tip label={t('shell.liveHint')} shortcut={live.shortcut}>
      <span className="topbar-live">
        <label htmlFor={id}>{t('shell.live')}</label>
        <Switch.Root id={id} className="switch" checked={live.checked ?? false} onCheckedChange={live.run}>
          <Switch.Thumb className="switch-thumb" />
        </Switch.Root>
      </span>
    </Tip>
  );
}

function HistoryButton() {
  const history = useCommand('results.history');
  return <IconButton label={history.label} shortcut={history.shortcut} icon={<History />} onClick={history.run} />;
}

function GenerateButton() {
  const studio = useStudio();
  const t = useT();
  const start = useCommand('generate.start');
  const cancel = useCommand('generate.cancel');
  const images = useDocument((state) => sceneOf(state.document).batch.count);
  // Menu entries are made anew when what they depend on changes.
  useDocument((state) => segmentsOf(state.document).length);
  return (
    <>
      {cancel.enabled ? (
        <Tip label={cancel.label} shortcut={cancel.shortcut}>
          <Button className="generate-cancel" onClick={cancel.run}>
            <Square /> {t('generate.cancel')}
          </Button>
        </Tip>
      ) : null}
      <div className="generate-split">
        <Button look="accent" disabled={!start.enabled} onClick={start.run}>
          {images > 1 ? t('generate.buttonMany', { count: images }) : t('generate.button')}
          <Shortcut keys="Mod+Enter" />
        </Button>
        <Menu
          align="end"
          trigger={
            <Button look="accent" aria-label={t('generate.more')}>
              <ChevronDown />
            </Button>
          }
          entries={commandEntries(
            studio,
            [
              'generate.start',
              'generate.variations',
              'generate.redoSegment',
              '-',
              'generate.startPicture',
              'generate.upscale2',
              'generate.upscale4',
              '-',
              'generate.rollSeed',
              'generate.lockSeed',
              'generate.live',
            ],
            t,
          )}
        />
      </div>
    </>
  );
}
