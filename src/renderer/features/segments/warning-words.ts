import type { SegmentWarning } from '#shared/api/generation.ts';
import { sceneOf, slotOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { SlotId } from '#shared/document/records.ts';
import { WARNING_LIMITS } from '#shared/masks/warnings.ts';
import { formatNumber } from '../../app/format.ts';
import type { TextKey, Translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';
import { patchSegment, shiftSegments } from '../../store/recipes.ts';
import { mapSizeOf } from './map-size.ts';

/** As in "12 %", "3.4 %"; what would be rounded to nothing is less than a tenth. */
const percent = (fraction: number): string =>
  fraction > 0 && fraction < 0.0005
    ? `< ${formatNumber(0.1, 1)} %`
    : `${formatNumber(fraction * 100, fraction < 0.0995 ? 1 : 0)} %`;

/** A warning in the artist's language, short enough for a chip. */
export function warningWords(t: Translate, warning: SegmentWarning): string {
  switch (warning.code) {
    case 'empty':
      return t('warning.empty');
    case 'too-small':
      // Large enough, yet nowhere as wide as a cell of the map.
      return warning.area >= WARNING_LIMITS.smallArea
        ? t('warning.thin')
        : t('warning.tooSmall', { area: percent(warning.area) });
    case 'hidden':
      return t('warning.hidden');
    case 'mostly-hidden':
      return t('warning.mostlyHidden', { area: percent(warning.area) });
    case 'split':
      return t('warning.split');
    case 'outside':
      return t('warning.outside');
    case 'no-text':
      return t('warning.noText');
    case 'unknown-words':
      return t('warning.unknownWords');
  }
}

/** Why it matters, for the tooltip. */
export const warningHint = (t: Translate, warning: SegmentWarning): string => t(`warning.hint.${warning.code}`);

export interface Remedy {
  readonly label: TextKey;
  run(studio: Studio): void;
}

/** What else helps, beside the first remedy. */
export function otherRemedyFor(warning: SegmentWarning): Remedy | undefined {
  if (warning.code !== 'too-small') return undefined;
  return {
    label: 'remedy.detail',
    run: (studio) =>
      void studio.document.edit('edit.detail', (document) => patchSegment(document, warning.segment, { detail: true })),
  };
}

/** What cures a warning, one click away. */
export function remedyFor(warning: SegmentWarning): Remedy {
  const { segment: id } = warning;
  switch (warning.code) {
    case 'empty':
      return {
        label: 'remedy.draw',
        run: (studio) => {
          studio.view.select([id]);
          studio.view.setState({ tool: 'brush' });
        },
      };
    case 'too-small':
      return {
        label: 'remedy.grow',
        run: (studio) =>
          void studio.document.edit('edit.grow', (document) =>
            patchSegment(document, id, (segment) => ({
              grow: Math.min(512, segment.grow + growStep(document, warning.area, mapSizeOf(studio).width)),
            })),
          ),
      };
    case 'hidden':
    case 'mostly-hidden':
      return {
        label: 'remedy.raise',
        run: (studio) => void studio.document.edit('edit.order', (document) => shiftSegments(document, [id], 'top')),
      };
    case 'split':
      return {
        label: 'remedy.join',
        run: (studio) =>
          void studio.document.edit('edit.smooth', (document) =>
            patchSegment(document, id, (segment) => ({
              smooth: Math.min(256, segment.smooth + sideOf(document) / 32),
            })),
          ),
      };
    case 'outside':
      return {
        label: 'remedy.show',
        run: (studio) => {
          studio.view.select([id]);
          studio.view.setState({ tool: 'select' });
          studio.view.getState().canvas?.fitSelection();
        },
      };
    case 'no-text':
    case 'unknown-words':
      return {
        label: 'remedy.write',
        run: (studio) => {
          studio.view.select([id]);
          const { document } = studio.document.getState();
          const segment = document[id];
          const part = segment?.type === 'segment' ? silentPart(document, segment.slot) : undefined;
          // A label on the canvas has one text; which half of a mix lacks its words only the inspector can show.
          if (part) studio.view.setState({ writing: part });
          else studio.view.getState().canvas?.editText(id);
        },
      };
  }
}

/** The part of a mix that has no words yet; undefined where the slot is no mix, or lacks none. */
function silentPart(document: StudioDocument, slot: SlotId): SlotId | undefined {
  const { content } = slotOf(document, slot);
  if (content.kind !== 'mix') return undefined;
  return [content.a, content.b].find((part) => {
    const { content: half } = slotOf(document, part);
    return half.kind === 'text' && half.text.trim() === '';
  });
}

const sideOf = (document: StudioDocument): number => {
  const { width, height } = sceneOf(document);
  return Math.min(width, height);
};

/**
 * Pixels by which a segment of `area` (a fraction of the canvas) grows to be seen: taken as a disc, its radius goes
 * from sqrt(area / pi) to that of 1.2 % of the canvas; at least by one cell of the map, which cures thin ones.
 */
function growStep(document: StudioDocument, area: number, mapWidth: number): number {
  const side = sideOf(document);
  const radius = (Math.sqrt(0.012 / Math.PI) - Math.sqrt(Math.max(0, area) / Math.PI)) * side;
  return Math.ceil(Math.max(radius, side / mapWidth));
}

/** What a slot is, in words, for a layer's second line. */
export function slotWords(t: Translate, document: StudioDocument, slot: Parameters<typeof slotOf>[1]): string {
  const { content } = slotOf(document, slot);
  switch (content.kind) {
    case 'text':
      return content.reading > 0 ? t('slot.textReading', { reading: content.reading + 1 }) : t('slot.text');
    case 'image':
      return t('slot.image');
    case 'crop':
      return t('slot.crop');
    case 'mix': {
      const kinds = [content.a, content.b].map((id) => t(`slot.kind.${slotOf(document, id).content.kind}`));
      return t('slot.mix', { a: kinds[0] ?? '', b: kinds[1] ?? '', percent: Math.round(content.t * 100) });
    }
  }
}
