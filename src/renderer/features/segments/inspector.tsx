import './inspector.css';
import { Contrast, ScanSearch, X } from 'lucide-react';
import type { CSSProperties } from 'react';
import { segmentName } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentId, SegmentRecord } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio, useView } from '../../app/studio.ts';
import { PALETTE, colourOf } from '../../canvas/palette.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Section } from '../../ui/parts.tsx';
import { RangeRow, SliderRow } from '../../ui/slider.tsx';
import { patchSegments, toggleSelected } from './actions.ts';
import { SlotEditor } from './slot-editor.tsx';
import { useTyping } from './use-typing.ts';
import { otherRemedyFor, remedyFor, warningHint, warningWords } from './warning-words.ts';

/** Everything about the selected segment that is not drawn. */
export function SegmentInspector() {
  const t = useT();
  const selection = useView((view) => view.selection);
  const { document, segment } = useDocument((state) => {
    const record = state.document[selection.at(-1) ?? ''];
    return { document: state.document, segment: record?.type === 'segment' ? record : undefined };
  });
  if (!segment) return null;
  const ids = selection.filter((id) => document[id]?.type === 'segment');
  const title =
    ids.length > 1
      ? t('segments.selected', { count: ids.length })
      : segmentName(document, segment) || t('segments.unnamed');
  return (
    <Section
      key={segment.id}
      title={title}
      className="segment-inspector"
      aside={<Swatches ids={ids} color={segment.color} />}
    >
      <Warnings segment={segment} />
      {segment.detail ? <DetailNote ids={ids} /> : null}
      {ids.length === 1 ? <SlotEditor key={segment.id} segment={segment} /> : null}
      <Weight segment={segment} ids={ids} />
      <Shape segment={segment} ids={ids} />
      <Details segment={segment} ids={ids} />
    </Section>
  );
}

interface PartProps {
  readonly segment: SegmentRecord;
  readonly ids: readonly SegmentId[];
}

function Swatches({ ids, color }: { readonly ids: readonly SegmentId[]; readonly color: number }) {
  const studio = useStudio();
  const t = useT();
  return (
    <div className="swatches" role="group" aria-label={t('segments.colour')}>
      {PALETTE.map((value, index) => (
        <button
          key={value}
          type="button"
          aria-label={t('segments.colourNumber', { number: index + 1 })}
          aria-pressed={color % PALETTE.length === index}
          style={{ '--segment': colourOf(index) } as CSSProperties}
          onClick={() => patchSegments(studio, 'edit.colour', ids, { color: index })}
        />
      ))}
    </div>
  );
}

function Warnings({ segment }: { readonly segment: SegmentRecord }) {
  const studio = useStudio();
  const t = useT();
  const warnings = useSession((session) => session.warnings).filter((warning) => warning.segment === segment.id);
  if (warnings.length === 0) return null;
  return (
    <div className="remedy-card">
      {warnings.map((warning) => {
        const remedies = [remedyFor(warning), otherRemedyFor(warning)].filter((remedy) => remedy !== undefined);
        return (
          <div key={warning.code} className="remedy">
            <span>
              <b>{warningWords(t, warning)}</b> {warningHint(t, warning)}
            </span>
            <span className="buttons">
              {remedies.map((remedy) => (
                <Button key={remedy.label} size="s" onClick={() => remedy.run(studio)}>
                  {t(remedy.label)}
                </Button>
              ))}
            </span>
          </div>
        );
      })}
    </div>
  );
}

/** Says that each picture gets a second pass for this segment, and takes it back. */
function DetailNote({ ids }: { readonly ids: readonly SegmentId[] }) {
  const studio = useStudio();
  const t = useT();
  return (
    <div className="detail-note">
      <ScanSearch />
      <span>
        <b>{t('segments.detail')}</b> {t('segments.detailHint')}
      </span>
      <IconButton
        size="s"
        label={t('segments.detailOff')}
        icon={<X />}
        onClick={() => patchSegments(studio, 'edit.detail', ids, { detail: false })}
      />
    </div>
  );
}

function Weight({ segment, ids }: PartProps) {
  const studio = useStudio();
  const t = useT();
  return (
    <>
      <SliderRow
        label={t('segments.weight')}
        hint={t('segments.weightHint')}
        value={segment.weight}
        min={0}
        max={2}
        fieldMax={4}
        step={0.05}
        digits={2}
        onChange={(weight) => patchSegments(studio, 'edit.weight', ids, { weight }, 'weight')}
        onDone={() => studio.document.seal()}
      />
      <RangeRow
        label={t('segments.interval')}
        value={segment.interval}
        min={0}
        max={1}
        step={0.01}
        startLabel={t('guidance.intervalStart')}
        endLabel={t('guidance.intervalEnd')}
        format={([start, end]) => `${Math.round(start * 100)}–${Math.round(end * 100)} %`}
        onChange={(interval) => patchSegments(studio, 'edit.interval', ids, { interval }, 'interval')}
        onDone={() => studio.document.seal()}
      />
    </>
  );
}

const SHAPES = [
  { field: 'grow', label: 'segments.grow', edit: 'edit.grow', min: -64, max: 64, limit: 512 },
  { field: 'smooth', label: 'segments.smooth', edit: 'edit.smooth', min: 0, max: 64, limit: 256 },
  { field: 'feather', label: 'segments.feather', edit: 'edit.feather', min: 0, max: 128, limit: 512 },
] as const;

function Shape({ segment, ids }: PartProps) {
  const studio = useStudio();
  const t = useT();
  return (
    <>
      {SHAPES.map(({ field, label, edit, min, max, limit }) => (
        <SliderRow
          key={field}
          label={t(label)}
          value={segment[field]}
          min={min}
          max={max}
          fieldMax={limit}
          step={1}
          unit="px"
          onChange={(value) => patchSegments(studio, edit, ids, { [field]: value }, field)}
          onDone={() => studio.document.seal()}
        />
      ))}
    </>
  );
}

function Details({ segment, ids }: PartProps) {
  const studio = useStudio();
  const t = useT();
  const typing = useTyping((negativeText) => patchSegments(studio, 'edit.negative', ids, { negativeText }, 'negative'));
  return (
    <div className="negative-row">
      <input
        className="text-field"
        aria-label={t('segments.negative')}
        placeholder={t('segments.negativePlaceholder')}
        value={segment.negativeText}
        maxLength={LIMITS.text}
        {...typing}
      />
      <IconButton
        label={t('segments.invert')}
        icon={<Contrast />}
        pressed={segment.invert}
        onClick={() => toggleSelected(studio, 'invert')}
      />
    </div>
  );
}
