import { Dices, ImageMinus, ImagePlay, Lock, LockOpen } from 'lucide-react';
import type { ReactNode } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import type { SceneRecord } from '#shared/document/records.ts';
import { SAMPLERS } from '#shared/document/settings.ts';
import { formatSeconds } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useCommand } from '../../app/shell/use-command.ts';
import { useDocument, useSession, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { NumberField } from '../../ui/number-field.tsx';
import { Section, SwitchRow } from '../../ui/parts.tsx';
import { Popover } from '../../ui/popover.tsx';
import { Select } from '../../ui/select.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { rollSeed, setSeed } from './actions.ts';
import { packOf, passesOf } from './requests.ts';
import { SAMPLER_NAMES } from './sampler-names.ts';
import { SizeForm } from './size-form.tsx';
import { useCost } from './use-cost.ts';

/** How this picture is made: sampler, seed, number, size, start picture. */
export function ImageSection() {
  const t = useT();
  const scene = useDocument((state) => sceneOf(state.document));
  const pack = useSession((session) => packOf(scene, session.packs, session.defaultPack));
  const cost = useCost(pack !== undefined && !pack.kind.startsWith('spatext'));
  const passes = t('image.passes', { count: cost?.passes ?? passesOf(scene, pack) });
  return (
    <Section
      title={t('image.title')}
      aside={
        <span className="num">
          {(cost?.seconds ?? 0) >= 0.5 ? t('image.cost', { passes, time: formatSeconds(cost?.seconds ?? 0) }) : passes}
        </span>
      }
    >
      <div className="cards">
        <Card title={t('image.sampler')} value={`${SAMPLER_NAMES[scene.sampler.name]}, ${scene.sampler.steps}`}>
          <SamplerForm scene={scene} />
        </Card>
        <Card
          title={t('image.seed')}
          value={
            <>
              <span className="num">{scene.seedLocked ? scene.seed : t('image.seedRandom')}</span>
              {scene.seedLocked ? <Lock /> : <LockOpen />}
            </>
          }
        >
          <SeedForm scene={scene} />
        </Card>
        <Card
          title={t('image.images')}
          value={
            scene.batch.bestOf > 1
              ? t('image.bestOf', { count: scene.batch.count, bestOf: scene.batch.bestOf })
              : String(scene.batch.count)
          }
        >
          <BatchForm scene={scene} />
        </Card>
        <Card
          title={t('image.size')}
          value={
            <span className="num">
              {scene.width} × {scene.height}
              {scene.upscale > 1 ? ` · ${scene.upscale}×` : ''}
            </span>
          }
        >
          <SizeForm scene={scene} />
        </Card>
      </div>
      <StartPicture scene={scene} />
    </Section>
  );
}

function Card({
  title,
  value,
  children,
}: {
  readonly title: string;
  readonly value: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <Popover
      label={title}
      side="left"
      trigger={
        <button type="button" className="card">
          <small>{title}</small>
          <span className="ellipsis">{value}</span>
        </button>
      }
    >
      <div className="form-grid">
        <p className="form-title">{title}</p>
        {children}
      </div>
    </Popover>
  );
}

interface FormProps {
  readonly scene: SceneRecord;
}

function SamplerForm({ scene }: FormProps) {
  const studio = useStudio();
  const t = useT();
  const { sampler } = scene;
  const change = (patch: Partial<SceneRecord['sampler']>, gesture: string): void =>
    void studio.document.edit(
      'edit.sampler',
      (document) => patchScene(document, { sampler: { ...sceneOf(document).sampler, ...patch } }),
      { extend: gesture },
    );
  return (
    <>
      <Select
        label={t('image.sampler')}
        value={sampler.name}
        choices={SAMPLERS.map((name) => ({ value: name, label: SAMPLER_NAMES[name] }))}
        onChange={(name) => change({ name }, 'sampler:name')}
      />
      <SliderRow
        label={t('image.steps')}
        value={sampler.steps}
        min={1}
        max={60}
        fieldMax={1000}
        step={1}
        onChange={(steps) => change({ steps }, 'sampler:steps')}
        onDone={() => studio.document.seal()}
      />
      {sampler.name === 'ddim' ? (
        <SliderRow
          label={t('image.eta')}
          value={sampler.eta}
          min={0}
          max={1}
          step={0.05}
          digits={2}
          onChange={(eta) => change({ eta }, 'sampler:eta')}
          onDone={() => studio.document.seal()}
        />
      ) : null}
      <p className="note">{t('image.stepsHint')}</p>
    </>
  );
}

function SeedForm({ scene }: FormProps) {
  const studio = useStudio();
  const t = useT();
  return (
    <>
      <div className="form-row">
        <NumberField
          label={t('image.seed')}
          value={scene.seed}
          min={0}
          max={0xffff_ffff}
          onChange={(seed) => setSeed(studio, Math.round(seed))}
        />
        <Button onClick={() => rollSeed(studio)}>
          <Dices /> {t('image.roll')}
        </Button>
      </div>
      <SwitchRow
        label={t('image.lock')}
        hint={t('image.lockHint')}
        checked={scene.seedLocked}
        onChange={(seedLocked) => studio.document.edit('edit.seed', (document) => patchScene(document, { seedLocked }))}
      />
    </>
  );
}

function BatchForm({ scene }: FormProps) {
  const studio = useStudio();
  const t = useT();
  const { count, bestOf } = scene.batch;
  const change = (batch: SceneRecord['batch'], gesture: string): void =>
    void studio.document.edit('edit.batch', (document) => patchScene(document, { batch }), { extend: gesture });
  return (
    <>
      <SliderRow
        label={t('image.count')}
        value={count}
        min={1}
        max={16}
        fieldMax={64}
        step={1}
        onChange={(next) =>
          change({ count: next, bestOf: Math.max(1, Math.min(bestOf, Math.floor(64 / next))) }, 'batch:count')
        }
        onDone={() => studio.document.seal()}
      />
      <SliderRow
        label={t('image.bestOfLabel')}
        value={bestOf}
        min={1}
        max={16}
        step={1}
        onChange={(next) => change({ count: Math.min(count, Math.floor(64 / next)), bestOf: next }, 'batch:bestOf')}
        onDone={() => studio.document.seal()}
      />
      <p className="note">{t('image.bestOfHint')}</p>
    </>
  );
}

/** The picture that the next ones start from (img2img). */
function StartPicture({ scene }: FormProps) {
  const studio = useStudio();
  const t = useT();
  const take = useCommand('generate.startPicture');
  const { start } = scene;
  if (!start)
    return take.enabled ? (
      <Button size="s" look="plain" className="start-button" onClick={take.run}>
        <ImagePlay /> {t('image.startFromShown')}
      </Button>
    ) : null;
  return (
    <>
      <div className="start-card">
        <img src={studio.blobUrl(start.blob)} alt="" />
        <div>
          {t('image.start')}
          <small>{t('image.startHint')}</small>
        </div>
        <IconButton
          label={t('image.startRemove')}
          icon={<ImageMinus />}
          onClick={() => studio.document.edit('edit.start', (document) => patchScene(document, { start: null }))}
        />
      </div>
      <SliderRow
        label={t('image.strength')}
        hint={t('image.strengthHint')}
        value={Math.round(start.strength * 100)}
        min={0}
        max={100}
        step={1}
        unit="%"
        onChange={(percent) =>
          studio.document.edit(
            'edit.start',
            (document) => patchScene(document, { start: { ...start, strength: percent / 100 } }),
            { extend: 'start' },
          )
        }
        onDone={() => studio.document.seal()}
      />
    </>
  );
}
