import { CircleCheck, CircleDashed, FolderPlus, Gauge, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { PackSummary } from '#shared/api/packs.ts';
import { sceneOf } from '#shared/document/document.ts';
import { formatBytes } from '../../app/format.ts';
import { deviceWords } from '../../app/host-words/host-words.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio } from '../../app/studio.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { NumberField } from '../../ui/number-field.tsx';
import { Field } from '../../ui/parts.tsx';
import { Select } from '../../ui/select.tsx';
import { Additions } from './additions.tsx';
import { chooseModel, makeDefault } from './choose-model.ts';
import { Loras } from './loras.tsx';
import { OpenModelLine } from './open-model.tsx';
import { RecommendedLine } from './recommended.tsx';
import { takeModelPath } from './take-model.ts';
import { setSettings } from '../settings/general-page.tsx';

/** Models: which this scene uses, what each is and can, and what they run on. */
export function PacksPage() {
  const studio = useStudio();
  const t = useT();
  const { packs, defaultPack } = useSession((session) => ({
    packs: session.packs,
    defaultPack: session.defaultPack,
  }));
  const scenePack = useDocument((state) => sceneOf(state.document).pack);
  const [path, setPath] = useState('');
  const add = (where: string): void =>
    studio.attempt(async () => {
      await takeModelPath(studio, where);
      setPath('');
    });
  return (
    <>
      <div className="settings-sub">
        <h3>{t('packs.forScene')}</h3>
        <span>{packs.length === 0 ? t('packs.loading') : scenePack === null ? t('packs.usesDefault') : ''}</span>
      </div>
      {packs.map((pack) => (
        <Pack
          key={pack.id}
          pack={pack}
          chosen={(scenePack ?? defaultPack) === pack.id}
          isDefault={defaultPack === pack.id}
        />
      ))}
      <div className="path-row">
        <input
          className="text-field"
          aria-label={t('packs.path')}
          placeholder={t('packs.path')}
          value={path}
          maxLength={4096}
          spellCheck={false}
          onChange={(event) => setPath(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && path.trim() !== '' && add(path.trim())}
        />
        <Button disabled={path.trim() === ''} onClick={() => add(path.trim())}>
          {t('packs.add')}
        </Button>
        {studio.session.getState().info?.dialogs ? (
          <Button
            onClick={() =>
              studio.attempt(async () => {
                const chosen = await studio.api.call('dialog.open', { for: 'pack' });
                if (chosen.path !== null) add(chosen.path);
              })
            }
          >
            <FolderPlus /> {t('packs.choose')}
          </Button>
        ) : null}
      </div>
      {packs.find((pack) => pack.id === (scenePack ?? defaultPack))?.abilities.includes('lora') ? (
        <>
          <Additions />
          <Loras />
        </>
      ) : null}
      <Devices />
    </>
  );
}

function Pack({
  pack,
  chosen,
  isDefault,
}: {
  readonly pack: PackSummary;
  readonly chosen: boolean;
  readonly isDefault: boolean;
}) {
  const studio = useStudio();
  const t = useT();
  return (
    <div className="pack" data-chosen={chosen}>
      <input
        type="radio"
        name="pack"
        aria-label={t('packs.use', { name: pack.name })}
        checked={chosen}
        disabled={pack.problem !== null}
        onChange={() => chooseModel(studio, pack)}
      />
      <div>
        <h3>{pack.name}</h3>
        <div className="facts-line num">
          {t(`packs.kind.${pack.kind}`)} · {formatBytes(pack.bytes)} ·{' '}
          {t('packs.sizes', {
            map: `${pack.mapSize.width} × ${pack.mapSize.height}`,
            output: `${pack.outputSize.width} × ${pack.outputSize.height}`,
          })}
          {pack.licence ? ` · ${pack.licence}` : ''}
        </div>
        {pack.problem ? <div className="problem">{pack.problem}</div> : null}
        {pack.needs ? <div className="problem">{t(`packs.needs.${pack.needs}`)}</div> : null}
        {pack.problem ? null : <RecommendedLine pack={pack} chosen={chosen} />}
        <OpenModelLine pack={pack.id} />
        <div className="chips">
          {pack.abilities.map((ability) => (
            <span key={ability} className="tag-chip">
              {t(`ability.${ability}`)}
            </span>
          ))}
        </div>
      </div>
      <div className="pack-buttons">
        {isDefault ? (
          <span className="tag-chip">{t('packs.default')}</span>
        ) : (
          <Button
            size="s"
            disabled={pack.problem !== null}
            onClick={() => studio.attempt(() => makeDefault(studio, pack))}
          >
            {t('packs.makeDefault')}
          </Button>
        )}
        {pack.source === 'embedded' ? null : (
          <IconButton
            size="s"
            label={t('packs.remove', { name: pack.name })}
            icon={<Trash2 />}
            onClick={() => studio.attempt(() => studio.api.call('packs.remove', { id: pack.id }))}
          />
        )}
      </div>
    </div>
  );
}

/** What models run on, with a probe that really runs something there. */
function Devices() {
  const studio = useStudio();
  const t = useT();
  const { devices, settings } = useSession((session) => ({ devices: session.devices, settings: session.settings }));
  const [probing, setProbing] = useState(false);
  return (
    <>
      <div className="settings-sub">
        <h3>{t('device.title')}</h3>
        <Button
          size="s"
          disabled={probing}
          onClick={() =>
            studio.attempt(async () => {
              setProbing(true);
              try {
                studio.session.setState({ devices: await studio.api.call('devices.list', { probe: true }) });
              } finally {
                setProbing(false);
              }
            })
          }
        >
          <Gauge /> {t(probing ? 'device.probing' : 'device.probe')}
        </Button>
      </div>
      {devices.map((device) => (
        <div key={device.id} className="device" data-available={device.available}>
          {device.available ? <CircleCheck /> : <CircleDashed />}
          <span>
            {deviceWords(device.name)}
            <small>{deviceWords(device.message)}</small>
          </span>
        </div>
      ))}
      <Field label={t('device.use')} hint={t('device.useHint')}>
        <Select
          label={t('device.use')}
          value={settings.device}
          choices={[
            { value: 'auto' as const, label: t('device.auto') },
            ...devices.map((device) => ({
              value: device.id,
              label: deviceWords(device.name),
              disabled: !device.available,
            })),
          ]}
          onChange={(device) => setSettings(studio, { device })}
        />
      </Field>
      <Field label={t('packs.restLabel')} hint={t('packs.restHint')}>
        <span className="form-row">
          <NumberField
            label={t('packs.restLabel')}
            value={settings.restMinutes}
            min={0}
            max={1440}
            onChange={(minutes) => setSettings(studio, { restMinutes: Math.round(minutes) })}
          />
        </span>
      </Field>
      <Field label={t('device.threadsLabel')} hint={t('device.threadsHint')}>
        <span className="form-row">
          <NumberField
            label={t('device.threadsLabel')}
            value={settings.threads}
            min={0}
            max={256}
            onChange={(threads) => setSettings(studio, { threads: Math.round(threads) })}
          />
        </span>
      </Field>
    </>
  );
}
