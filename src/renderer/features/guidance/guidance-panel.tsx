import './guidance.css';
import { ChevronDown, Grid3x3 } from 'lucide-react';
import { useId, useState } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import type { PackSummary } from '#shared/api/packs.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { GuidanceSettings } from '#shared/document/settings.ts';
import { formatNumber } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import type { TextKey } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import { IconButton } from '../../ui/button.tsx';
import { Segmented, Section, SwitchRow } from '../../ui/parts.tsx';
import { Select } from '../../ui/select.tsx';
import { RangeRow, SliderRow } from '../../ui/slider.tsx';
import { ImageSection } from '../generate/image-section.tsx';
import { packOf } from '../generate/requests.ts';
import { SegmentInspector } from '../segments/inspector.tsx';
import { patchGuidance } from './actions.ts';
import { Pad } from './pad.tsx';
import { PAD_MAX, PRESETS, pointKey, withPoint } from './plane.ts';
import type { GuidancePoint } from './plane.ts';

/** The right panel: the dials, the picture's settings, the selected segment. */
export function GuidancePanel() {
  return (
    <div className="panel-scroll scroll">
      <Guidance />
      <SegmentInspector />
      <ImageSection />
    </div>
  );
}

function Guidance() {
  const studio = useStudio();
  const t = useT();
  const guidance = useDocument((state) => sceneOf(state.document).guidance);
  const grid = useView((view) => view.grid);
  const single = guidance.mode === 'single';
  const done = (): void => studio.document.seal();
  return (
    <Section
      title={t('guidance.title')}
      aside={
        single ? null : (
          <>
            <Presets guidance={guidance} />
            {grid.on ? (
              <Select
                look="quiet"
                label={t('guidance.gridSize')}
                value={String(grid.cells)}
                choices={(['3', '4', '5'] as const).map((cells) => ({ value: cells, label: `${cells} × ${cells}` }))}
                onChange={(cells) => studio.view.setState({ grid: { on: true, cells: Number(cells) as 3 | 4 | 5 } })}
              />
            ) : null}
            <IconButton
              size="s"
              label={t(grid.on ? 'guidance.gridOff' : 'guidance.gridOn')}
              icon={<Grid3x3 />}
              pressed={grid.on}
              onClick={() => studio.view.setState({ grid: { ...grid, on: !grid.on } })}
            />
          </>
        )
      }
    >
      {single ? (
        <SliderRow
          label={t('guidance.scale')}
          value={guidance.scale}
          min={0}
          max={PAD_MAX}
          fieldMax={LIMITS.guidanceScale}
          step={0.1}
          digits={1}
          onChange={(scale) => patchGuidance(studio, { scale }, 'scale')}
          onDone={done}
        />
      ) : (
        <>
          <Pad />
          <div>
            <SliderRow
              label={t('guidance.scene')}
              hint={t('guidance.sceneHint')}
              value={guidance.globalScale}
              min={0}
              max={PAD_MAX}
              fieldMax={LIMITS.guidanceScale}
              step={0.1}
              digits={1}
              onChange={(globalScale) => patchGuidance(studio, { globalScale }, 'global')}
              onDone={done}
            />
            <SliderRow
              label={t('guidance.segments')}
              hint={t('guidance.segmentsHint')}
              value={guidance.localScale}
              min={0}
              max={PAD_MAX}
              fieldMax={LIMITS.guidanceScale}
              step={0.1}
              digits={1}
              onChange={(localScale) => patchGuidance(studio, { localScale }, 'local')}
              onDone={done}
            />
          </div>
        </>
      )}
      <Segmented
        label={t('guidance.mode')}
        value={guidance.mode}
        choices={(['multi', 'joint', 'single'] as const).map((mode) => ({
          value: mode,
          label: t(`guidance.mode.${mode}`),
          hint: t(`guidance.modeHint.${mode}`),
        }))}
        onChange={(mode) => patchGuidance(studio, { mode })}
      />
      <More guidance={guidance} />
    </Section>
  );
}

interface PointPreset {
  readonly label: TextKey;
  readonly point: GuidancePoint;
  readonly mode?: GuidanceSettings['mode'];
}

/** What the model's maker recommends; a model of one dial has no point of its own, and one not there yet has no word. */
function ofModel(label: TextKey, pack: PackSummary | undefined): PointPreset[] {
  if (!pack || pack.defaults.mode === 'single') return [];
  const { mode, localScale, globalScale } = pack.defaults;
  return [{ label, point: [localScale, globalScale], mode }];
}

/** Named points of the plane; "own" when the dials stand elsewhere. */
function Presets({ guidance }: { readonly guidance: GuidanceSettings }) {
  const studio = useStudio();
  const t = useT();
  const scene = useDocument((state) => sceneOf(state.document));
  const pack = useSession((session) => packOf(scene, session.packs, session.defaultPack));
  const presets = PRESETS.flatMap(({ label, point }) => (point === 'pack' ? ofModel(label, pack) : [{ label, point }]));
  // The model's own recommendation is a way of guidance as well; the other points are places on the pad.
  const chosen = presets.find(
    ({ point, mode }) =>
      pointKey(point) === pointKey([guidance.localScale, guidance.globalScale]) &&
      (mode ?? guidance.mode) === guidance.mode,
  );
  return (
    <Select
      look="quiet"
      label={t('guidance.presets')}
      value={chosen?.label ?? 'preset.own'}
      choices={[
        ...presets.map(({ label, point }) => ({
          value: label as string,
          label: t(label),
          hint: t('guidance.point', { scene: formatNumber(point[1], 1), segments: formatNumber(point[0], 1) }),
        })),
        ...(chosen ? [] : [{ value: 'preset.own', label: t('preset.own'), disabled: true }]),
      ]}
      onChange={(taken) => {
        const preset = presets.find(({ label }) => label === taken);
        if (!preset) return;
        studio.document.seal();
        patchGuidance(studio, { ...withPoint(guidance, preset.point), ...(preset.mode && { mode: preset.mode }) });
        studio.document.seal();
      }}
    />
  );
}

/** Where on the schedule guidance acts, and how far it may overshoot. */
function More({ guidance }: { readonly guidance: GuidanceSettings }) {
  const studio = useStudio();
  const t = useT();
  const id = useId();
  const scene = useDocument((state) => sceneOf(state.document));
  const kind = useSession((session) => packOf(scene, session.packs, session.defaultPack)?.kind);
  // Models trained for segments need no shield; checkpoints opened in place have attention to shield.
  const stock = kind !== undefined && !kind.startsWith('spatext');
  const touched = guidance.isolate || guidance.rescale > 0 || guidance.interval[0] > 0 || guidance.interval[1] < 1;
  const [open, setOpen] = useState(touched);
  return (
    <>
      <button
        type="button"
        className="more-toggle"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <ChevronDown /> {t('guidance.more')}
      </button>
      <div id={id} hidden={!open}>
        <RangeRow
          label={t('guidance.interval')}
          value={guidance.interval}
          min={0}
          max={1}
          step={0.01}
          startLabel={t('guidance.intervalStart')}
          endLabel={t('guidance.intervalEnd')}
          format={([start, end]) => `${Math.round(start * 100)}–${Math.round(end * 100)} %`}
          onChange={(interval) => patchGuidance(studio, { interval }, 'interval')}
          onDone={() => studio.document.seal()}
        />
        <SliderRow
          label={t('guidance.rescale')}
          hint={t('guidance.rescaleHint')}
          value={guidance.rescale}
          min={0}
          max={1}
          step={0.05}
          digits={2}
          onChange={(rescale) => patchGuidance(studio, { rescale }, 'rescale')}
          onDone={() => studio.document.seal()}
        />
        {stock ? (
          <SwitchRow
            label={t('guidance.isolate')}
            hint={t('guidance.isolateHint')}
            checked={guidance.isolate}
            onChange={(isolate) => patchGuidance(studio, { isolate })}
          />
        ) : null}
      </div>
    </>
  );
}
