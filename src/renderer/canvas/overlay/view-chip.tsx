import { useT } from '../../app/i18n/texts.ts';
import { commandEntries } from '../../app/shell/use-command.ts';
import { useSession, useStudio, useView } from '../../app/studio.ts';
import { mapSizeOf } from '../../features/segments/map-size.ts';
import type { ViewState } from '../../store/view-store.ts';
import { Menu } from '../../ui/menu.tsx';
import { Segmented, SwitchRow } from '../../ui/parts.tsx';
import { Popover } from '../../ui/popover.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { zoomPercent } from '../viewport/viewport.ts';
import { ReferenceList } from './reference-list.tsx';

const PLACES = ['under', 'over', 'split'] as const satisfies readonly ViewState['resultPlace'][];
const SWITCHES = ['showOutlines', 'showLabels', 'showPatterns', 'modelsEye'] as const;
const SWITCH_TEXT = {
  showOutlines: 'canvas.view.outlines',
  showLabels: 'canvas.view.labels',
  showPatterns: 'canvas.view.patterns',
  modelsEye: 'canvas.view.modelsEye',
} as const;

/** Bottom right: how picture and segments are shown together, and the zoom. */
export function ViewChip() {
  const t = useT();
  const studio = useStudio();
  const zoom = useView((state) => state.viewport.zoom);
  return (
    <div className="view-chip" data-canvas-ui>
      <PicturePart />
      <span className="chip-line" aria-hidden="true" />
      <Menu
        side="top"
        align="end"
        entries={commandEntries(studio, ['view.fit', 'view.fitSelection', 'view.actualSize', '-', 'view.zoomIn', 'view.zoomOut'], t)} // prettier-ignore
        trigger={
          <button type="button" className="chip-btn num" aria-label={`${t('canvas.zoom')}: ${zoomPercent(zoom)} %`}>
            {t('canvas.zoom.percent', { percent: zoomPercent(zoom) })}
          </button>
        }
      />
    </div>
  );
}

function PicturePart() {
  const t = useT();
  const studio = useStudio();
  const { view } = studio;
  const state = useView(({ shown, resultOpacity, resultPlace, modelsEye, showOutlines, showLabels, showPatterns }) => ({ shown: shown.kind, resultOpacity, resultPlace, modelsEye, showOutlines, showLabels, showPatterns })); // prettier-ignore
  // the map's size follows the packs
  useSession(({ packs }) => packs);
  const map = mapSizeOf(studio);
  const percent = Math.round(state.resultOpacity * 100);
  const label = state.modelsEye
    ? t('canvas.chip.map', map)
    : state.shown === 'none'
      ? t('canvas.view')
      : t('canvas.chip.picture', { percent });
  return (
    <Popover
      label={t('canvas.view')}
      side="top"
      align="end"
      className="view-popover"
      trigger={
        <button type="button" className="chip-btn num">
          {label}
        </button>
      }
    >
      <SliderRow
        label={t('canvas.view.result')}
        value={percent}
        min={0}
        max={100}
        step={1}
        unit="%"
        disabled={state.shown === 'none'}
        onChange={(next) => view.setState({ resultOpacity: next / 100 })}
      />
      <Segmented
        label={t('canvas.view.place')}
        value={state.resultPlace}
        choices={PLACES.map((place) => ({ value: place, label: t(`canvas.view.${place}`) }))}
        onChange={(resultPlace) => view.setState({ resultPlace })}
      />
      <div className="view-switches">
        {SWITCHES.map((name) => (
          <SwitchRow
            key={name}
            label={t(SWITCH_TEXT[name])}
            checked={state[name]}
            onChange={(on) => view.setState({ [name]: on })}
          />
        ))}
      </div>
      <ReferenceList />
    </Popover>
  );
}
